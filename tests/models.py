"""Small random models in the formats that users have: every parameter random, so that a forgotten one shows."""

import json
import string
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
)
from transformers.utils import logging

logging.disable_progress_bar()

WORDS = """
the a of and to in is it bank river money water flows near we keep our account open boat tied hello world
question answer passage vector token search index model layer pooling sentence document text window café naïve
test year one two three
""".split()
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def bert_vocabulary() -> list[str]:
    """Whole words, and every letter as a word's start and continuation: nothing of ASCII is unknown."""
    letters = string.ascii_lowercase + string.digits + "éïüß"
    marks = string.punctuation + "，。！？“”…"
    chinese = "北京是中国的首都上海很大"
    return [*SPECIAL, *letters, *(f"##{c}" for c in letters), *marks, *chinese, *WORDS, "##s", "##ing", "##ed"]


def bert_tokenizer(lowercase: bool = True, truncate_at: int | None = None) -> Tokenizer:
    """A WordPiece tokenizer as BERT's are made."""
    vocabulary = dict.fromkeys(bert_vocabulary() + ([] if lowercase else list(string.ascii_uppercase)))
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    if truncate_at:  # as the file of all-MiniLM-L6-v2 does
        tokenizer.enable_truncation(truncate_at)
        tokenizer.enable_padding(length=truncate_at)
    return tokenizer


def randomise(model: torch.nn.Module, seed: int) -> None:
    """Every parameter from a normal distribution: fresh biases are zero and fresh LayerNorms are the identity."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            spread = 0.2 if parameter.dim() > 1 else 0.3
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * spread)
            if name.endswith("LayerNorm.weight"):
                parameter.add_(1.0)


def save_bert(
    folder: Path, *, layers: int = 4, width: int = 32, heads: int = 4, positions: int = 64, seed: int = 0,
    lowercase: bool = True, truncate_at: int | None = 16, pooler: bool = True, inner: int = 0, activation: str = "gelu",
) -> Path:  # fmt: skip
    """A BertModel with a tokenizer.json that truncates and pads, to be ignored."""
    tokenizer = bert_tokenizer(lowercase, truncate_at)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
        intermediate_size=inner or 2 * width, max_position_embeddings=positions, hidden_act=activation,
    )  # fmt: skip
    model = BertModel(config, add_pooling_layer=pooler)
    randomise(model, seed)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "model_max_length": 10**30})
    return folder


def save_roberta(folder: Path, *, positions: int = 66, seed: int = 1) -> Path:
    """A RobertaModel with a byte-level BPE tokenizer trained on a few words; 66 positions take 64 tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    from tokenizers import trainers

    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    tokenizer.train_from_iterator([" ".join(WORDS)] * 4, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    config = RobertaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=32, num_hidden_layers=3, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=positions, pad_token_id=1, bos_token_id=0, eos_token_id=2,
        type_vocab_size=1,
    )  # fmt: skip
    model = RobertaModel(config)
    randomise(model, seed)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "RobertaTokenizer", "model_max_length": 64})
    return folder


def make_sentence_transformer(
    folder: Path, pooling: dict[str, object], *, normalize: bool = True, max_seq_length: int | None = None,
    prompts: dict[str, str] | None = None, default_prompt_name: str | None = None, extra: str | None = None,
) -> Path:  # fmt: skip
    """Add to a model folder what sentence-transformers saves beside the weights."""
    kinds = ["Transformer", "Pooling", *([extra] if extra else []), *(["Normalize"] if normalize else [])]
    modules = [
        {
            "idx": i,
            "name": str(i),
            "path": "" if i == 0 else f"{i}_{kind}",
            "type": f"sentence_transformers.models.{kind}",
        }
        for i, kind in enumerate(kinds)
    ]
    for module in modules[1:]:
        (folder / module["path"]).mkdir(exist_ok=True)
    write_json(folder / "modules.json", modules)
    config = json.loads((folder / "config.json").read_text())
    width = config.get("hidden_size", config.get("dim"))
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": width} | pooling)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_seq_length, "do_lower_case": False})
    settings = {"prompts": prompts or {}, "default_prompt_name": default_prompt_name, "similarity_fn_name": "cosine"}
    write_json(folder / "config_sentence_transformers.json", settings)
    return folder


def add_dense(folder: Path, module: str, inputs: int, outputs: int, seed: int = 0) -> Path:
    """Fill the folder of a Dense module, with tanh, of a folder of sentence-transformers."""
    generator = torch.Generator().manual_seed(seed)
    weights = {"linear.weight": (outputs, inputs), "linear.bias": (outputs,)}
    tensors = {name: torch.randn(shape, generator=generator) * 0.3 for name, shape in weights.items()}
    save_file(tensors, folder / module / "model.safetensors")
    activation = "torch.nn.modules.activation.Tanh"
    settings = {"in_features": inputs, "out_features": outputs, "bias": True, "activation_function": activation}
    write_json(folder / module / "config.json", settings)
    return folder


def write_json(file: Path, value: object) -> None:
    """One JSON file."""
    file.write_text(json.dumps(value), encoding="utf-8")


def pair_bert() -> BertForSequenceClassification:
    """A BERT of 2 layers, 32 wide, 64 positions, that gives a pair of texts one score."""
    return BertForSequenceClassification(BertConfig(
        vocab_size=bert_tokenizer().get_vocab_size(), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=64, num_labels=1,
    ))  # fmt: skip


def save_pair_model(folder: Path, model: BertForSequenceClassification) -> Path:
    """The model and the tokenizer of its pairs, as a cross-encoder's folder has them."""
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=bert_tokenizer(), model_max_length=64, unk_token="[UNK]", pad_token="[PAD]",
        cls_token="[CLS]", sep_token="[SEP]", model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    ).save_pretrained(folder)  # fmt: skip
    return folder
