"""How vectors of texts lie: of real texts, measured once, and of the made ones that stand for them.

    python benchmarks/search_geometry.py MODEL

measures real ones: the documentation strings of the Python modules that are installed, by a model
of sentences in the layout of transformers. The first 400 letters stand for a summary, the words
that tell a text from others for its keywords, and pieces of a long text for passages.
"""

import argparse
import ast
import math
import random
import re
import sysconfig
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from search_world import KEYWORD, SUMMARY, Array, World

# As this script measured them: docstrings by all-MiniLM-L6-v2.
REAL = {
    "summaries, mean": 0.107,
    "summaries, deviation": 0.104,
    "summaries, nearest": 0.601,
    "summaries, 10th": 0.451,
    "summaries, 100th": 0.326,
    "summaries, dimension": 19.051,
    "keywords, mean": 0.245,
    "keywords, deviation": 0.099,
    "keywords, nearest": 0.658,
    "keywords, 10th": 0.537,
    "keywords, 100th": 0.436,
    "keywords, dimension": 20.306,
    "a summary and its keywords": 0.638,
    "a summary and other keywords": 0.111,
    "pieces of a text": 0.417,
    "pieces, mean": 0.123,
    "pieces, deviation": 0.111,
    "pieces, nearest": 0.551,
    "pieces, 10th": 0.351,
    "pieces, 100th": 0.182,
    "pieces, dimension": 17.675,
}

TEXTS, LONG_TEXTS, PIECES = 5000, 400, 8
LONG, SUMMARY_LETTERS, KEYWORDS, PIECE_WORDS = 2500, 400, 8, 40
SHORTEST, ALIKE, TOKENS = 80, 60, 64
NEIGHBOURS = 20  # from which the dimension is estimated

Figures = dict[str, float]


def figures(summaries: Array, keywords: Array, pieces: Array) -> Figures:
    """Tell how texts lie: of clips (n, d), of the same clips' keywords, of pieces (m, k, d)."""
    found = {**_alone("summaries", summaries), **_alone("keywords", keywords)}
    pairs = np.einsum("nd,nd->n", summaries, keywords)
    found["a summary and its keywords"] = pairs.mean()
    found["a summary and other keywords"] = (summaries[::2] @ keywords[1::2].T).mean()
    within = np.einsum("mkd,mld->mkl", pieces, pieces)
    count = pieces.shape[1]
    found["pieces of a text"] = (within.sum() - within.trace(axis1=1, axis2=2).sum()) / (
        len(pieces) * count * (count - 1)
    )
    found |= _alone("pieces", pieces[:, 0])
    return found


def _alone(name: str, vectors: Array) -> Figures:
    """Tell the cosines of texts of a kind, of near ones, and their dimension (Levina, Bickel)."""
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, np.nan)
    near = -np.sort(-np.nan_to_num(likeness, nan=-1.0), axis=1)
    far = np.sqrt(np.maximum(2 - 2 * near[:, :NEIGHBOURS].astype(np.float64), 1e-9))
    dimension = 1 / np.log(far[:, -1:] / far[:, :-1]).mean()
    found = {
        f"{name}, mean": np.nanmean(likeness),
        f"{name}, deviation": np.nanstd(likeness),
        f"{name}, nearest": near[:, 0].mean(),
        f"{name}, 10th": near[:, 9].mean(),
        f"{name}, 100th": near[:, 99].mean(),
        f"{name}, dimension": dimension,
    }
    return {figure: float(value) for figure, value in found.items()}


def made_figures(world: World) -> Figures:
    """Tell the same of made vectors, as many as of real ones."""
    meanings = world.meanings(world.choose(TEXTS))
    long = world.meanings(world.choose(LONG_TEXTS))
    return figures(
        world.vectors(meanings, SUMMARY),
        world.vectors(meanings, KEYWORD),
        world.passages(long, PIECES).reshape(LONG_TEXTS, PIECES, -1),
    )


def print_geometry(world: World) -> None:
    """Print how made vectors lie beside how real ones do."""
    print(f"\n{'cosines':<32}{'real':>8}{'made':>8}")
    for name, made in made_figures(world).items():
        print(f"{name:<32}{REAL[name]:8.2f}{made:8.2f}", flush=True)


def main() -> None:
    """Measure real texts, and print what belongs into REAL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a folder")
    texts = _documentation(Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("stdlib")))
    frequency = Counter(word for text in texts for word in set(_words(text)))
    chosen = texts[:TEXTS]
    long = [text for text in texts if len(text) > LONG][:LONG_TEXTS]
    embed = _embedder(parser.parse_args().model)
    measured = figures(
        embed([" ".join(text.split())[:SUMMARY_LETTERS] for text in chosen]),
        embed([_keywords(text, frequency, len(texts)) for text in chosen]),
        embed([piece for text in long for piece in _pieces(text)]).reshape(len(long), PIECES, -1),
    )
    for name, value in measured.items():
        print(f'    "{name}": {value:.3f},')


def _documentation(*folders: Path) -> list[str]:
    """Read documentation strings in a random order, one of those that begin alike."""
    texts: dict[str, str] = {}
    for file in sorted(file for folder in folders for file in folder.rglob("*.py")):
        try:
            tree = ast.parse(file.read_text(errors="ignore"))
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                text = ast.get_docstring(node) or ""
                if len(text) >= SHORTEST:
                    texts.setdefault(text[:ALIKE], text)
    found = list(texts.values())
    random.Random(3).shuffle(found)  # noqa: S311
    return found


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]{3,}", text.lower())


def _keywords(text: str, frequency: Counter[str], texts: int) -> str:
    """Choose the words that are often in this text, and seldom in others."""
    counts = Counter(_words(text))
    weight = {word: count * math.log(texts / frequency[word]) for word, count in counts.items()}
    return ", ".join(sorted(weight, key=lambda word: (-weight[word], word))[:KEYWORDS])


def _pieces(text: str) -> list[str]:
    words = text.split()
    step = len(words) // PIECES
    return [" ".join(words[at * step :][: min(step, PIECE_WORDS)]) for at in range(PIECES)]


def _embedder(folder: str) -> Callable[[Sequence[str]], Array]:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)

    def embed(texts: Sequence[str]) -> Array:
        found = []
        for begin in range(0, len(texts), 64):
            asked = tokenizer(
                list(texts[begin : begin + 64]),
                padding=True,
                truncation=True,
                max_length=TOKENS,
                return_tensors="pt",
            )
            with torch.inference_mode():
                states = model(**asked).last_hidden_state
            mask = asked["attention_mask"][..., None]
            found.append(torch.nn.functional.normalize((states * mask).sum(1), dim=1).numpy())
        return np.concatenate(found)

    return embed


if __name__ == "__main__":
    main()
