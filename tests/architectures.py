"""Small random models of every architecture that the tests compare with transformers, each with a tokenizer.json."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from models import bert_vocabulary, randomise, write_json
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import CONFIG_MAPPING, AutoModel, PreTrainedTokenizerFast

SIZES = {
    "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 64,
    "max_position_embeddings": 66,
}  # fmt: skip
XLM = {"emb_dim": 32, "n_layers": 4, "n_heads": 4, "max_position_embeddings": 66}
# What a configuration says beside SIZES; None is another name for all of them.
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "bert": {},
    "roberta": {},
    "xlm-roberta": {},
    "camembert": {},
    "distilbert": {"n_layers": 4, "n_heads": 4, "dim": 32, "hidden_dim": 64, "max_position_embeddings": 66},
    "electra": {"embedding_size": 16},
    "mpnet": {},
    "albert": {"embedding_size": 16},
    "deberta": {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_biased_input": False},
    "deberta-v2": {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "conv_kernel_size": 3, "norm_rel_ebd": "layer_norm", "position_buckets": 16},
    "modernbert": {"local_attention": 8, "global_attn_every_n_layers": 3},
    "nomic_bert": {},
    "convbert": {"embedding_size": 16},
    "fnet": {},
    "mobilebert": {"embedding_size": 16, "intra_bottleneck_size": 16},
    "luke": {"entity_vocab_size": 10, "entity_emb_size": 16},
}  # fmt: skip
# … and those that padding is tested with beside.
OTHERS: dict[str, dict[str, Any]] = {
    "data2vec-text": {},
    "ernie": {},
    "eurobert": {"num_key_value_heads": 2},
    "flaubert": XLM,
    "gte": {},
    "ibert": {},
    "layoutlm": {},
    "lilt": {"hidden_size": 24, "channel_shrink_ratio": 2},
    "markuplm": {},
    "megatron-bert": {},
    "nystromformer": {},
    "rembert": {"input_embedding_size": 16},
    "roberta-prelayernorm": {},
    "roformer": {},
    "splinter": {},
    "squeezebert": {"embedding_size": 32},
    "xlm": XLM,
    "xlm-roberta-xl": {},
    "yoso": {},
}
# They start their positions behind the padding's id, as fairseq's vocabularies do: <s>, <pad>, </s>, <unk>.
FAIRSEQ = frozenset(
    "camembert data2vec-text ibert lilt luke markuplm mpnet roberta roberta-prelayernorm xlm-roberta xlm-roberta-xl".split()
)
UNTYPED = frozenset("distilbert eurobert flaubert modernbert mpnet xlm".split())  # without segments


def tokenizer_of(kind: str) -> Tokenizer:
    """A WordPiece tokenizer with the special tokens in the order in which that architecture has them."""
    order = ["[CLS]", "[PAD]", "[SEP]", "[UNK]"] if kind in FAIRSEQ else ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = dict.fromkeys([*order, *bert_vocabulary()])
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens([*order, "[MASK]"])
    second = "" if kind in FAIRSEQ or kind in UNTYPED else ":1"
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair=f"[CLS] $A [SEP] $B{second} [SEP]{second}",
        special_tokens=[(token, list(vocabulary).index(token)) for token in ("[CLS]", "[SEP]")],
    )  # fmt: skip
    return tokenizer


def save_architecture(kind: str, folder: Path, **changes: Any) -> Path:
    """A model of that type in a folder, every parameter random. Skips where transformers does not know it."""
    if kind not in CONFIG_MAPPING:
        pytest.skip(f"this transformers has no {kind}")
    tokenizer = tokenizer_of(kind)
    said = (ARCHITECTURES | OTHERS)[kind]
    sizes = {} if said.get("n_layers") else SIZES
    padding = tokenizer.token_to_id("[PAD]")
    config = CONFIG_MAPPING[kind](
        **sizes | said | changes, vocab_size=tokenizer.get_vocab_size(), pad_token_id=padding, bos_token_id=None,
        eos_token_id=None,
    )  # fmt: skip
    model = AutoModel.from_config(config)
    randomise(model, 7)
    model.save_pretrained(folder)
    names = ["input_ids", "attention_mask", *([] if kind in UNTYPED else ["token_type_ids"])]
    if not takes_mask(model):
        names.remove("attention_mask")
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_input_names=names, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]", model_max_length=64,
    ).save_pretrained(folder)  # fmt: skip
    return folder


def takes_mask(model: torch.nn.Module) -> bool:
    """Whether it takes an attention mask: FNet of transformers 4 does not."""
    return "attention_mask" in inspect.signature(model.forward).parameters


def hidden_states(folder: Path, sequences: list[list[int]], **how: Any) -> list[list[torch.Tensor]]:
    """transformers' own hidden states of each sequence, run on its own: of each layer (t, d), the embeddings first."""
    model = AutoModel.from_pretrained(folder, **how).eval()
    found = []
    for ids in sequences:
        inputs = {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids), dtype=torch.long)}
        if not takes_mask(model):
            del inputs["attention_mask"]
        with torch.inference_mode():
            output = model(**inputs, output_hidden_states=True)
        # The last one is the output itself in transformers 5, of 4 for some what a normalisation is still to be done to.
        found.append([state[0] for state in (*output.hidden_states[:-1], output.last_hidden_state)])
    return found


def edit(file: Path, **values: object) -> None:
    """Change some values of a JSON file."""
    write_json(file, json.loads(file.read_text(encoding="utf-8")) | values)
