"""Vectors from a model on this machine, through transformers on torch."""

import json
from collections.abc import Sequence
from typing import Any

from video_assets.media.errors import ToolMissingError
from video_assets.services.device import choose_device
from video_assets.services.embedder import Embedded, EmbedderSettings, fit
from video_assets.services.local_models import keep, load_library
from video_assets.services.tokens import ModelTokens

TEXTS_AT_ONCE = 16
_POOLING = "1_Pooling/config.json"  # where models of sentence-transformers say it


class LocalModel:
    """One loaded model with its tokenizer."""

    def __init__(self, model: Any, tokenizer: Any, device: str, token_limit: int) -> None:
        self._model, self._tokenizer, self._device = model, tokenizer, device
        self._takes_first = _takes_first(model.config.name_or_path)
        self.tokens = ModelTokens(tokenizer.backend_tokenizer)
        own = min(tokenizer.model_max_length, model.config.max_position_embeddings)
        self.longest = min(token_limit, own - tokenizer.num_special_tokens_to_add())

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Give a vector for each text."""
        torch = load_library("torch")
        found: list[list[float]] = []
        tokens = 0
        with torch.inference_mode():
            for begin in range(0, len(texts), TEXTS_AT_ONCE):
                inputs = self._tokenizer(
                    list(texts[begin : begin + TEXTS_AT_ONCE]),
                    padding=True,
                    truncation=True,
                    max_length=self.longest + self._tokenizer.num_special_tokens_to_add(),
                    return_tensors="pt",
                ).to(self._device)
                hidden = self._model(**inputs).last_hidden_state
                found += self._pooled(hidden, inputs["attention_mask"]).tolist()
                tokens += int(inputs["attention_mask"].sum())
        return Embedded(fit(found, len(texts)), tokens)

    def _pooled(self, hidden: Any, mask: Any) -> Any:
        """Bring the vectors of a text's tokens together as the model was trained to."""
        if self._takes_first:
            return hidden[:, 0].float()
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        return ((hidden * weights).sum(1) / weights.sum(1)).float()


def load_model(settings: EmbedderSettings) -> LocalModel:
    """Load a model, or give the one that this worker holds.

    Raises ToolMissingError if the libraries, the model or the device are not here.
    """
    device = choose_device(settings.device)
    key = (settings.model, device, settings.token_limit)
    return keep("transformers_embedder", key, lambda: _load(settings, device))


def _load(settings: EmbedderSettings, device: str) -> LocalModel:
    library = load_library("transformers")
    try:
        tokenizer = library.AutoTokenizer.from_pretrained(settings.model)
        model = library.AutoModel.from_pretrained(settings.model)
    except (OSError, ValueError) as error:  # no network, no such name, no model of this kind
        raise ToolMissingError(
            f"the model {settings.model_name} of transformers cannot be loaded "
            f"({type(error).__name__}); it is downloaded on first use: check its name, its folder "
            "and the network, then run again"
        ) from error
    return LocalModel(model.to(device).eval(), tokenizer, device, settings.token_limit)


def _takes_first(model: str) -> bool:
    """Tell whether a model's vector is that of its first token; else it is the mean of all."""
    file = load_library("transformers.utils").cached_file(
        model, _POOLING, _raise_exceptions_for_missing_entries=False
    )
    if file is None:
        return False
    with open(file, encoding="utf-8") as pooling:  # noqa: PTH123  transformers gives a name
        return bool(json.load(pooling).get("pooling_mode_cls_token"))
