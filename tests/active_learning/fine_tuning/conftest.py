"""A small transformer that knows nothing yet, and texts that teach it something."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

WORDS = ("price", "missing", "title", "sound", "broken", "blue", "shoe", "kettle", "cheap", "good")
SIGNS = ("missing", "sound", "broken")


@pytest.fixture(scope="session")
def tiny_transformer(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of a BERT of two layers with random weights and a vocabulary of twenty words."""
    torch = pytest.importorskip("torch")
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-bert")
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=5 + len(WORDS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    BertTokenizerFast(str(vocabulary)).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def labelled_texts() -> tuple[list[str], NDArray[np.intp]]:
    """240 texts whose grade is told by one word of many."""
    rng = np.random.default_rng(4)
    grades = rng.integers(0, len(SIGNS), 240)
    texts = []
    for grade in grades.tolist():
        words = rng.choice([w for w in WORDS if w not in SIGNS], size=rng.integers(3, 9)).tolist()
        words.insert(int(rng.integers(len(words))), SIGNS[grade])
        texts.append(" ".join(words))
    return texts, grades


@pytest.fixture(scope="session")
def working_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fine-tuning")
