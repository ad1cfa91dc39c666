"""Prices: each kind of token at its own rate, and long requests at theirs."""

from decimal import Decimal

import pytest

from video_assets.services.prices import Price, Rates, Usage

PLAIN = {"input": Decimal(2), "output": Decimal(10)}
CACHING = PLAIN | {"cached_input": Decimal("0.1"), "cache_write": Decimal("2.5")}
LONG = {"long_over": 100_000, "long": Rates(input=Decimal(4), output=Decimal(20))}


@pytest.mark.parametrize(
    ("price", "usage", "usd"),
    [
        pytest.param(PLAIN, Usage(1_000_000, output_tokens=100_000), "3", id="plain"),
        pytest.param(
            CACHING,
            Usage(1_000_000, cached_tokens=400_000, written_tokens=200_000),
            "1.34",  # 0.4 million at 2, 0.4 at 0.1, 0.2 at 2.5
            id="from and to the cache",
        ),
        pytest.param(PLAIN, Usage(1_000_000, written_tokens=200_000), "2", id="no such rates"),
        pytest.param(PLAIN | LONG, Usage(100_000), "0.2", id="as long as may be"),
        pytest.param(PLAIN | LONG, Usage(100_001, output_tokens=1), "0.400024", id="too long"),
    ],
)
def test_each_kind_of_token_has_its_rate(price, usage, usd):
    assert Price(**price).of(usage) == Decimal(usd)
