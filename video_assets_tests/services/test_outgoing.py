"""What may leave this machine: one gate before every service, and servers here that stay here."""

import shutil
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from video_assets.automation.plan import analyzers
from video_assets.media.discovery import discover
from video_assets.media.errors import PostponedError
from video_assets.services import local_models
from video_assets.services.embedder import EmbedderSettings, load_embedder
from video_assets.services.naming import is_here
from video_assets.services.outgoing import LOCAL_ONLY, refuse_local_only
from video_assets.services.paid_call import PaidModel
from video_assets.services.paid_model import Payment, open_model
from video_assets.services.prices import FREE, Price, Usage
from video_assets.settings import LOCAL_OWNER, RateLimit
from video_assets.storage.postgres import Postgres
from video_assets.storage.registration import Registrar
from video_assets_tests.planted_keys import plant
from video_assets_tests.services.loopback import embed, serve
from video_assets_tests.services.payer import payer

DEAR = Price(input=Decimal(1))


@dataclass
class Kept:
    """A clip that may not leave; whoever asks it for anything else has gone too far."""

    is_local_only: bool = True

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} of a clip that must stay here")


def model(*, is_here: bool) -> PaidModel:
    kept: Any = Kept()
    return PaidModel("p", "m", "a", FREE, RateLimit(), kept, lambda: None, is_here)


def test_a_paid_model_is_not_asked_about_a_clip_that_is_local_only():
    with pytest.raises(PostponedError, match=LOCAL_ONLY) as postponed:
        model(is_here=False).ask("r", Usage(), lambda: pytest.fail("sent"))
    assert postponed.value.until is None
    with pytest.raises(AssertionError, match="earlier"):  # it went on to ask
        model(is_here=True).ask("r", Usage(), lambda: pytest.fail("sent"))


def test_texts_of_a_clip_that_is_local_only_are_embedded_only_here(
    monkeypatch: pytest.MonkeyPatch, catalogue: Postgres, tmp_path: Path
):
    plant(monkeypatch)
    kept = Payment(payer(catalogue, tmp_path).billing(local_only=(tmp_path,)), lambda: None)
    far = EmbedderSettings()
    with pytest.raises(PostponedError, match=LOCAL_ONLY):
        load_embedder(far, kept).embed(["a"])
    with serve() as service:
        service.answers.append(embed)
        near = EmbedderSettings(model="m", base_url=service.url)
        load_embedder(near, kept).embed(["a"])
        assert len(service.seen) == 1
    local_models._kept.pop("embedding service")[1].close()


def test_a_copy_that_comes_into_such_a_folder_meanwhile_keeps_the_clip_here(
    catalogue: Postgres, tmp_path: Path
):
    private = tmp_path / "private"
    private.mkdir()
    paying = payer(catalogue, tmp_path)
    clip = paying.billing(local_only=(private,))
    refuse_local_only(clip, to_here=False)
    (copied,) = tmp_path.glob("*.mp4")
    shutil.copy(copied, private)
    registrar = Registrar(catalogue, LOCAL_OWNER, "blake3")
    assert list(registrar.register(discover([private]).candidates))
    with pytest.raises(PostponedError, match=LOCAL_ONLY):
        refuse_local_only(clip, to_here=False)


def test_a_server_here_that_charges_passes_on_what_it_is_asked():
    kept: Any = Kept()
    about: Any = {"billing": kept, "beat": lambda: None}
    address = "http://127.0.0.1:4000/v1"
    free, paid = (open_model("p", "m", address, "", price=each, **about) for each in (FREE, DEAR))
    assert (free.is_here, paid.is_here) == (True, False)
    far = open_model("p", "m", "https://models.example.org", "", price=FREE, **about)
    assert not far.is_here


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:11434/v1", True),
        ("http://[::1]:8000", True),
        ("http://LOCALHOST:1234/v1", True),
        ("http://localhost.example.org/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
        ("http://0.0.0.0/v1", False),
        ("http://192.168.0.2/v1", False),
        ("http://2130706433/v1", False),
        ("https://api.openai.com/v1", False),
        (None, False),
    ],
)
def test_only_a_loopback_address_is_this_machine(url: str | None, here: bool):
    assert is_here(url) is here


def test_no_proxy_and_no_redirection_leads_a_local_request_away(monkeypatch: pytest.MonkeyPatch):
    with serve() as away, serve() as service:
        monkeypatch.setenv("http_proxy", away.url)
        monkeypatch.setenv("no_proxy", "")
        service.answers += [(307, {}, {"Location": f"{away.url}/embeddings"}), embed]
        away.answers.append(embed)
        settings = EmbedderSettings(model="m", base_url=service.url)
        with pytest.raises(Exception, match="refuses"):
            load_embedder(settings).embed(["secret"])
        load_embedder(settings).embed(["secret"])
        assert (len(service.seen), away.seen) == (2, [])
    local_models._kept.pop("embedding service")[1].close()


def test_every_step_that_may_ask_a_service_says_what_it_sends():
    known = {
        name: each
        for name, each in analyzers().items()
        if each.module.startswith("video_assets.assets.")
    }
    asking = {
        name
        for name, each in known.items()
        if each.is_paid or "base_url" in getattr(each.settings_model, "model_fields", ())
    }
    silent = {name for name in asking if known[name].sends is None}
    unbound = {name for name in asking if not known[name].is_paid}
    assert (silent, unbound) == (set(), set())
