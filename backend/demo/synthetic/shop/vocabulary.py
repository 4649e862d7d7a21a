"""The words that invented products and customers are made of, chosen so that a taste can be read off an order."""

from typing import NamedTuple


class Shelf(NamedTuple):
    """One category: what is on it, of what, what it does, what it costs, and the shelves that people go on to."""

    kinds: tuple[str, ...]
    materials: tuple[str, ...]
    does: tuple[str, ...]
    prices: tuple[float, float]  # cheapest and dearest, euros
    goes_with: tuple[str, ...]


class Persona(NamedTuple):
    """One kind of customer: in a line, and the shelves they come for, the most wanted first."""

    line: str
    shelves: tuple[str, ...]


SHELVES: dict[str, Shelf] = {
    "tents": Shelf(
        ("two-person tent", "family tent", "bivvy tent", "tunnel tent"),
        ("ripstop nylon", "recycled polyester", "waxed cotton"),
        ("stands in ten minutes", "stays dry through a night of rain", "folds into one small bag", "keeps insects out"),
        (79, 420),
        ("sleeping bags", "camp kitchen", "head torches"),
    ),
    "sleeping bags": Shelf(
        ("down sleeping bag", "summer sleeping bag", "mummy sleeping bag", "camping quilt"),
        ("duck down", "hollow fibre", "merino wool"),
        ("keeps warm at minus five", "packs as small as a loaf", "dries within a morning", "opens into a blanket"),
        (45, 310),
        ("tents", "camp kitchen"),
    ),
    "camp kitchen": Shelf(
        ("gas stove", "camping pot set", "folding kettle", "spork set"),
        ("titanium", "hard aluminium", "steel"),
        ("boils a litre in four minutes", "nests into itself", "weighs less than an apple", "works in the wind"),
        (9, 120),
        ("tents", "head torches"),
    ),
    "head torches": Shelf(
        ("head torch", "running torch", "camp lantern"),
        ("aluminium", "recycled plastic"),
        ("lights a path for 80 metres", "runs forty hours on a charge", "dims to red", "charges by USB"),
        (14, 95),
        ("tents", "hiking boots"),
    ),
    "hiking boots": Shelf(
        ("hiking boots", "approach shoes", "winter boots", "trail shoes"),
        ("full-grain leather", "suede", "recycled mesh"),
        ("grips wet rock", "needs no breaking in", "can be resoled", "keeps water out"),
        (69, 280),
        ("wool socks", "rucksacks"),
    ),
    "wool socks": Shelf(
        ("hiking socks", "ankle socks", "winter socks"),
        ("merino wool", "alpaca wool"),
        ("does not rub", "stays fresh for three days", "dries overnight", "is knitted without seams"),
        (8, 32),
        ("hiking boots",),
    ),
    "rucksacks": Shelf(
        ("day rucksack", "trekking rucksack", "roll-top rucksack", "hip bag"),
        ("recycled nylon", "canvas", "ripstop nylon"),
        ("carries twelve kilos lightly", "keeps its back off yours", "opens like a suitcase", "has a rain cover inside"),
        (29, 260),
        ("hiking boots", "head torches"),
    ),
    "cast iron": Shelf(
        ("cast-iron skillet", "casserole", "griddle pan", "Dutch oven"),
        ("bare cast iron", "enamelled cast iron"),
        ("sears a steak evenly", "goes from stove to oven", "gets better every year", "holds heat for an hour"),
        (29, 330),
        ("kitchen knives", "cookbooks"),
    ),
    "kitchen knives": Shelf(
        ("chef's knife", "paring knife", "bread knife", "sharpening stone"),
        ("carbon steel", "stainless steel", "Damascus steel"),
        ("keeps its edge", "slices a tomato by its weight", "is balanced at the bolster", "is ground by hand"),
        (19, 240),
        ("cast iron", "cookbooks"),
    ),
    "bakeware": Shelf(
        ("loaf tin", "proving basket", "baking steel", "cake ring"),
        ("carbon steel", "rattan", "tinned steel"),
        ("bakes an even crust", "lets dough rise slowly", "releases without greasing", "fits every oven"),
        (9, 95),
        ("flours", "cookbooks"),
    ),
    "flours": Shelf(
        ("rye flour", "bread flour", "spelt flour", "sourdough starter"),
        ("organic grain", "stoneground grain"),
        ("makes a lively dough", "is milled to order", "smells of the field", "keeps for a year"),
        (3, 18),
        ("bakeware",),
    ),
    "cookbooks": Shelf(
        ("cookbook of one-pot dinners", "bread book", "vegetable cookbook", "book of sauces"),
        ("hardback paper", "washable paper"),
        ("explains the why", "has a picture of every step", "needs no rare ingredient", "plans a week of dinners"),
        (15, 48),
        ("cast iron", "bakeware"),
    ),
    "coffee makers": Shelf(
        ("espresso maker", "pour-over set", "French press", "coffee grinder"),
        ("stainless steel", "borosilicate glass", "ceramic"),
        ("brews in three minutes", "grinds without noise", "is cleaned in a rinse", "holds its heat"),
        (22, 390),
        ("coffee beans", "cups"),
    ),
    "coffee beans": Shelf(
        ("espresso beans", "filter roast", "decaffeinated roast"),
        ("organic beans", "washed beans"),
        ("tastes of cocoa", "tastes of red fruit", "is roasted on Mondays", "suits milk"),
        (7, 26),
        ("coffee makers", "cups"),
    ),
    "cups": Shelf(
        ("espresso cups", "mug", "travel cup"),
        ("stoneware", "porcelain", "enamel"),
        ("keeps warm", "fits the hand", "survives the dishwasher", "stacks neatly"),
        (8, 54),
        ("coffee beans",),
    ),
    "garden tools": Shelf(
        ("hand trowel", "secateurs", "hoe", "watering can"),
        ("forged steel", "ash wood", "galvanised steel"),
        ("cuts cleanly", "goes through clay", "lasts a lifetime", "hangs on one hook"),
        (11, 110),
        ("seeds", "planters"),
    ),
    "seeds": Shelf(
        ("tomato seeds", "wildflower mix", "salad seeds", "bean seeds"),
        ("open-pollinated seed", "organic seed"),
        ("sprouts within a week", "feeds bees until October", "can be sown twice a year", "is saved by hand"),
        (2, 12),
        ("planters", "garden tools"),
    ),
    "planters": Shelf(
        ("balcony planter", "raised bed", "terracotta pot", "seed tray"),
        ("terracotta", "larch wood", "recycled plastic"),
        ("drains well", "survives frost", "waters itself for a week", "fits a windowsill"),
        (6, 190),
        ("seeds", "garden tools"),
    ),
    "bicycle lights": Shelf(
        ("front light", "rear light", "light set"),
        ("aluminium", "recycled plastic"),
        ("is seen from 400 metres", "charges by USB", "clips on without tools", "dims by itself"),
        (14, 130),
        ("bicycle tools", "panniers"),
    ),
    "bicycle tools": Shelf(
        ("multi-tool", "floor pump", "chain set", "puncture kit"),
        ("chrome steel", "aluminium"),
        ("mends a flat in five minutes", "fits every valve", "lives under the saddle", "never rounds a bolt"),
        (6, 85),
        ("bicycle lights",),
    ),
    "panniers": Shelf(
        ("pannier", "handlebar bag", "saddle bag"),
        ("waxed canvas", "welded tarpaulin"),
        ("carries a week of shopping", "stays dry inside", "clicks off in a second", "becomes a shoulder bag"),
        (24, 180),
        ("bicycle lights", "bicycle tools"),
    ),
    "guitar strings": Shelf(
        ("acoustic strings", "electric strings", "nylon strings", "capo"),
        ("phosphor bronze", "nickel", "nylon"),
        ("stays in tune", "sounds bright", "is easy on fingers", "lasts three months"),
        (5, 38),
        ("guitars", "sheet music"),
    ),
    "guitars": Shelf(
        ("acoustic guitar", "classical guitar", "travel guitar", "ukulele"),
        ("spruce", "mahogany", "cedar"),
        ("forgives beginners", "fills a room", "fits a cabin", "sounds warm"),
        (59, 780),
        ("guitar strings", "sheet music"),
    ),
    "sheet music": Shelf(
        ("songbook", "finger-picking book", "chord chart"),
        ("spiral-bound paper", "hardback paper"),
        ("starts from the first chord", "has sixty songs", "lies flat", "comes with recordings"),
        (6, 34),
        ("guitar strings",),
    ),
    "board games": Shelf(
        ("strategy game", "co-operative game", "card game", "dice game"),
        ("recycled card", "beech wood"),
        ("is learned in five minutes", "ends before bedtime", "plays well with two", "is different every time"),
        (9, 75),
        ("wooden toys", "jigsaws"),
    ),
    "wooden toys": Shelf(
        ("building blocks", "train set", "balance game", "marble run"),
        ("beech wood", "maple wood"),
        ("has no screens", "outlasts three children", "is oiled, not painted", "grows with its owner"),
        (12, 130),
        ("board games", "jigsaws"),
    ),
    "jigsaws": Shelf(
        ("500-piece jigsaw", "1,000-piece jigsaw", "floor puzzle"),
        ("recycled card", "plywood"),
        ("has no two pieces alike", "shows a harbour", "shows a forest in autumn", "fills a rainy Sunday"),
        (9, 42),
        ("board games",),
    ),
    "desk lamps": Shelf(
        ("desk lamp", "clamp lamp", "reading lamp"),
        ("brushed steel", "oak", "aluminium"),
        ("does not dazzle", "warms its light at night", "bends wherever you read", "remembers its brightness"),
        (25, 210),
        ("notebooks", "keyboards"),
    ),
    "keyboards": Shelf(
        ("mechanical keyboard", "split keyboard", "wrist rest"),
        ("aluminium", "walnut", "recycled plastic"),
        ("types quietly", "rests the shoulders", "takes any switch", "pairs with three machines"),
        (18, 260),
        ("desk lamps", "notebooks"),
    ),
    "notebooks": Shelf(
        ("dotted notebook", "sketchbook", "fountain pen", "desk diary"),
        ("laid paper", "linen", "recycled paper"),
        ("does not bleed through", "lies flat", "numbers its pages", "fits a coat pocket"),
        (5, 68),
        ("desk lamps",),
    ),
}  # fmt: skip

PERSONAS: tuple[Persona, ...] = (
    Persona("cooks, buys cast iron", ("cast iron", "kitchen knives", "cookbooks")),
    Persona("bakes bread every weekend", ("bakeware", "flours", "cookbooks")),
    Persona("goes camping with the family", ("tents", "sleeping bags", "camp kitchen", "head torches")),
    Persona("walks in the hills", ("hiking boots", "wool socks", "rucksacks")),
    Persona("takes coffee seriously", ("coffee makers", "coffee beans", "cups")),
    Persona("grows vegetables on a balcony", ("planters", "seeds", "garden tools")),
    Persona("rides to work in all weathers", ("panniers", "bicycle lights", "bicycle tools")),
    Persona("learns the guitar", ("guitars", "guitar strings", "sheet music")),
    Persona("plays with the children", ("board games", "wooden toys", "jigsaws")),
    Persona("works from a desk at home", ("keyboards", "desk lamps", "notebooks")),
)

MAKERS = (
    "Northfell", "Harbour & Pine", "Oldbridge", "Kestrel", "Merrow", "Tallis", "Brindle", "Fenwick", "Lowe & Daughters",
    "Sandgate", "Ystrad", "Kittiwake",
)  # fmt: skip
LINES = (
    "Alder", "Beacon", "Cairn", "Dune", "Ember", "Fathom", "Gale", "Hearth", "Islay", "Juniper", "Knoll", "Larch", "Mill",
    "Nimbus", "Orchard", "Pebble", "Quarry", "Ridge", "Sorrel", "Tarn", "Umber", "Vale", "Wren", "Yarrow",
)  # fmt: skip
FIRST_NAMES = (
    "Agnes", "Alma", "Anton", "Basil", "Beatriz", "Cem", "Clara", "Dario", "Edith", "Elin", "Farid", "Freya", "Gita", "Gustav",
    "Hilda", "Ibrahim", "Ida", "Jamal", "Janna", "Kaito", "Karim", "Lotte", "Luca", "Maeve", "Marek", "Mina", "Nadine", "Oskar",
    "Paula", "Ravi", "Rhea", "Rosalind", "Samuel", "Selma", "Stefan", "Tamar", "Theo", "Ursula", "Viktor", "Wanda",
    "Xenia", "Zofia",
)  # fmt: skip
LAST_NAMES = (
    "Ahlberg", "Bakker", "Castillo", "Demir", "Engel", "Farrow", "Gallo", "Hartmann", "Iversen", "Jovanovic", "Kessler",
    "Lindqvist", "Marino", "Nkemelu", "Oduya", "Pereira", "Quirke", "Rahman", "Sandoval", "Thorne", "Ulrich", "Vasquez",
    "Winter", "Yamada", "Zielinski",
)  # fmt: skip
