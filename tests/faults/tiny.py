"""A BERT 8 wide that is made in milliseconds without torch: real text goes through the real path, numpy alone."""

import json
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

WORDS = """
the a of and to in is it bank river money water flows near we keep our account open boat tied hello world question
answer passage vector token search index model layer sentence document text window test year one two three
""".split()
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WIDTH = 8


def save_tiny_bert(folder: Path) -> Path:
    """The same bytes each time: one layer, two heads, 64 positions."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {word: number for number, word in enumerate(dict.fromkeys([*SPECIAL, *WORDS]))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "model_type": "bert", "architectures": ["BertModel"], "vocab_size": len(vocabulary), "hidden_size": WIDTH,
        "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 2 * WIDTH, "hidden_act": "gelu",
        "max_position_embeddings": 64, "type_vocab_size": 2, "layer_norm_eps": 1e-12, "pad_token_id": 0,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}', encoding="utf-8")
    (folder / "model.safetensors").write_bytes(_safetensors(_weights(len(vocabulary))))
    return folder


def _weights(words: int) -> dict[str, np.ndarray]:
    shapes = {
        "embeddings.word_embeddings": (words, WIDTH),
        "embeddings.position_embeddings": (64, WIDTH),
        "embeddings.token_type_embeddings": (2, WIDTH),
        "embeddings.LayerNorm": (WIDTH,),
        **{f"encoder.layer.0.attention.self.{part}": (WIDTH, WIDTH) for part in ("query", "key", "value")},
        "encoder.layer.0.attention.output.dense": (WIDTH, WIDTH),
        "encoder.layer.0.attention.output.LayerNorm": (WIDTH,),
        "encoder.layer.0.intermediate.dense": (2 * WIDTH, WIDTH),
        "encoder.layer.0.output.dense": (WIDTH, 2 * WIDTH),
        "encoder.layer.0.output.LayerNorm": (WIDTH,),
    }
    random = np.random.RandomState(0)  # its stream is frozen, that of default_rng is not

    def numbers(*shape: int) -> np.ndarray:  # of thousandths: no machine rounds them otherwise
        return (random.randint(-1000, 1001, shape) / 1000).astype(np.float32)

    tensors = {}
    for name, shape in shapes.items():
        tensors[f"{name}.weight"] = numbers(*shape) + np.float32(name.endswith("LayerNorm"))
        if not name.endswith("_embeddings"):
            tensors[f"{name}.bias"] = numbers(shape[0])
    return tensors


def _safetensors(tensors: dict[str, np.ndarray]) -> bytes:
    """The format's length, header and numbers, by hand: the index knows its model by the digest of these bytes."""
    header, at = {}, 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [at, at + tensor.nbytes]}
        at += tensor.nbytes
    note = json.dumps(header).encode()
    note += b" " * (-len(note) % 8)
    return len(note).to_bytes(8, "little") + note + b"".join(tensor.tobytes() for tensor in tensors.values())
