"""Real sentence-transformers folders made on the spot: BERT with two layers of 32, a vocabulary of a few words, no download."""

from pathlib import Path

COLOURS = ("red", "blue", "green", "black", "white", "yellow")
THINGS = ("shoe", "hat", "coat", "lamp", "chair", "table", "book", "ball", "cup", "knife")
MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
TRAINING_STEPS = 400


def sentence_model(folder: Path, *, seed: int = 0) -> Path:
    """A folder that `SentenceTransformer` opens; its vectors are random but depend on every word."""
    import torch
    from transformers import BertModel

    torch.manual_seed(seed)
    BertModel(_shape()).save_pretrained(folder)
    _tokenizer(folder).save_pretrained(folder)
    return folder


def cross_encoder(folder: Path, *, steps: int = TRAINING_STEPS) -> Path:
    """A folder that `CrossEncoder` opens, trained to say whether query and document name the same colour."""
    import torch
    from transformers import BertForSequenceClassification

    torch.manual_seed(0)
    model, tokenizer = BertForSequenceClassification(_shape(num_labels=1)), _tokenizer(folder)
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    chance = torch.Generator().manual_seed(1)
    for _ in range(steps):
        drawn = torch.randint(0, len(COLOURS) * len(THINGS), (32, 2), generator=chance)
        drawn[:16, 1] += drawn[:16, 0] % len(COLOURS) - drawn[:16, 1] % len(COLOURS)  # half of them of one colour
        pairs = [(_phrase(one), _phrase(other)) for one, other in drawn.tolist()]
        alike = torch.tensor([float(one % len(COLOURS) == other % len(COLOURS)) for one, other in drawn.tolist()])
        batch = tokenizer([one for one, _ in pairs], [other for _, other in pairs], padding=True, return_tensors="pt")
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(**batch).logits[:, 0], alike)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def minilm_sized(folder: Path) -> Path:
    """A folder of the shape of ms-marco-MiniLM-L-6-v2 with random weights: it costs the same and means nothing."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    shape = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
    BertForSequenceClassification(BertConfig(**shape, num_labels=1)).eval().save_pretrained(folder)
    _tokenizer(folder).save_pretrained(folder)
    return folder


def _phrase(number: int) -> str:
    return f"{COLOURS[number % len(COLOURS)]} {THINGS[number // len(COLOURS)]}"


def _shape(**more: int):  # type: ignore[no-untyped-def]  # transformers is imported by those who call
    from transformers import BertConfig

    words = len(MARKS) + len(COLOURS) + len(THINGS)
    return BertConfig(
        vocab_size=words,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        initializer_range=0.3,  # BERT's own 0.02 is silence at this size
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        **more,
    )


def _tokenizer(folder: Path):  # type: ignore[no-untyped-def]  # as above
    from transformers import BertTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join((*MARKS, *COLOURS, *THINGS)) + "\n", encoding="utf-8")
    return BertTokenizer(str(vocabulary), model_max_length=128)
