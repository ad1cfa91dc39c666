"""A random Whisper that is loaded as a real one is: its text means nothing."""

from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTokenizer,
)

NAMES: tuple[str, ...] = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|fr|>",
    "<|translate|>",
)
NAMES += ("<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>")
NAMES += ("<|notimestamps|>",)
TIMES = tuple(f"<|{step * 0.02:.2f}|>" for step in range(1501))


def save_whisper(folder: Path) -> Path:
    """Write a model with its tokenizer as `from_pretrained` wants them."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    plain = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(letters)}, merges=[]))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    plain.add_special_tokens(list(NAMES))
    end = NAMES[0]
    tokenizer = WhisperTokenizer(
        tokenizer_object=plain, bos_token=end, eos_token=end, unk_token=end, pad_token=end
    )
    tokenizer.add_tokens(list(TIMES))
    at: Any = tokenizer.convert_tokens_to_ids
    common: dict[str, Any] = {
        "decoder_start_token_id": at(NAMES[1]),
        "eos_token_id": at(end),
        "bos_token_id": at(end),
        "pad_token_id": at(end),
    }
    sizes: dict[str, Any] = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1}
    sizes |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    sizes |= {"encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "max_target_positions": 448}
    model = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=len(tokenizer),
            begin_suppress_tokens=None,
            suppress_tokens=None,
            **sizes,
            **common,
        )
    )
    model.generation_config = GenerationConfig(
        lang_to_id={name: at(name) for name in NAMES[2:4]},
        task_to_id={"translate": at(NAMES[4]), "transcribe": at(NAMES[5])},
        is_multilingual=True,
        no_timestamps_token_id=at(NAMES[9]),
        prev_sot_token_id=at(NAMES[7]),
        max_length=60,
        max_initial_timestamp_index=50,
        alignment_heads=[[0, 0]],
        suppress_tokens=[],
        begin_suppress_tokens=[at(end)],
        **common,
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    WhisperFeatureExtractor().save_pretrained(folder)
    return folder
