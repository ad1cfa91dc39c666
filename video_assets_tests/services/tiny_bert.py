"""A BERT of a few thousand numbers and two dozen words, to be loaded as the real ones are."""

from pathlib import Path

import torch
from transformers import BertConfig, BertModel
from transformers.models.bert import BertTokenizer

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
VOCABULARY = (*SPECIAL, "a", "at", "the", "boat", "bridge", "night", *NUMBERS, ".", ",")
LONGEST = 64


def save_bert(folder: Path) -> Path:
    """Write model and tokenizer into a folder."""
    tokenizer = BertTokenizer(
        vocab={word: place for place, word in enumerate(VOCABULARY)}, model_max_length=LONGEST
    )
    tokenizer.save_pretrained(str(folder))
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=LONGEST,
    )
    BertModel(config).save_pretrained(str(folder))
    return folder
