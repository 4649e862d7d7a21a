"""What the people of the invented marketplace are called, and what they write."""

from collections.abc import Mapping, Sequence

from sites.cleaning.models import PropertyType

WOMEN = (
    "Aikaterini", "Anastasia", "Angeliki", "Anna", "Areti", "Chrysa", "Despina", "Dimitra", "Eirini", "Eleni", "Evangelia",
    "Fotini", "Georgia", "Ioanna", "Kalliopi", "Konstantina", "Maria", "Niki", "Panagiota", "Sofia", "Stavroula", "Vasiliki",
)  # fmt: skip
MEN = (
    "Alexandros", "Anastasios", "Andreas", "Antonis", "Christos", "Dimitris", "Evangelos", "Giorgos", "Ilias", "Ioannis",
    "Konstantinos", "Lefteris", "Michalis", "Nikos", "Panagiotis", "Petros", "Spyros", "Stavros", "Thanasis", "Thodoris",
    "Vangelis", "Yannis",
)  # fmt: skip
FAMILIES = (  # as women and as men are called
    ("Alexiou", "Alexiou"), ("Anagnostou", "Anagnostou"), ("Angelopoulou", "Angelopoulos"), ("Antoniou", "Antoniou"),
    ("Dimitriou", "Dimitriou"), ("Fotiadou", "Fotiadis"), ("Georgiou", "Georgiou"), ("Ioannidou", "Ioannidis"),
    ("Kalogirou", "Kalogirou"), ("Karagianni", "Karagiannis"), ("Katsarou", "Katsaros"), ("Konstantinou", "Konstantinou"),
    ("Koutsi", "Koutsis"), ("Makri", "Makris"), ("Mavridou", "Mavridis"), ("Nikolaou", "Nikolaou"), ("Oikonomou", "Oikonomou"),
    ("Pappa", "Pappas"), ("Papadaki", "Papadakis"), ("Papadopoulou", "Papadopoulos"), ("Petropoulou", "Petropoulos"),
    ("Sideri", "Sideris"), ("Stavrou", "Stavrou"), ("Theodorou", "Theodorou"), ("Triantafyllou", "Triantafyllou"),
    ("Tsoukala", "Tsoukalas"), ("Vasileiou", "Vasileiou"), ("Vlachou", "Vlachos"), ("Xenaki", "Xenakis"), ("Zervou", "Zervos"),
)  # fmt: skip
NAMES = (
    *(f"{one} {family}" for one in WOMEN for family, _ in FAMILIES),
    *(f"{one} {family}" for one in MEN for _, family in FAMILIES),
)

ABOUT: Sequence[str] = (
    "Lives in {district} and comes by metro or on foot.", "Based in {district}, with a small van.",
    "From {district}. Early mornings are best.", "Works from {district}; happy to come back every week.",
    "Cleans around {district} and brings everything needed.", "Based in {district}, free on most weekdays.",
)  # fmt: skip
WANTED: Mapping[PropertyType, Sequence[str]] = {
    PropertyType.APARTMENT: (
        "Kitchen, bathroom and floors, please.", "A thorough clean before guests come.",
        "The balcony as well, if there is time.",        "We have a cat; please mind the door.",
    ),
    PropertyType.HOUSE: (
        "Two floors and a staircase.", "Windows on the ground floor too.", "Spring clean, room by room.",
        "Mostly floors and two bathrooms.",
    ),
    PropertyType.VILLA: (
        "The terrace by the pool as well.", "Before the family comes for the summer.", "Many windows; bring a long pole.",
        "The whole house, with the guest rooms.",
    ),
    PropertyType.OFFICE: (
        "After office hours, please.", "Desks, floors and the small kitchen.", "Meeting rooms first.",
        "The carpet needs a machine.",
    ),
    PropertyType.HOLIDAY_LET: (
        "Between two guests; beds to be made.", "Keys are in the box by the door.", "Fresh towels are in the cupboard.",
        "Please take a photo of each room when done.",
    ),
}  # fmt: skip
ECO = "Eco-friendly products only."
OFFERS: Sequence[str] = (
    "", "", "I could come at the time you ask for.", "I know the area well.", "Happy to help, with my own tools.",
    "I have done places of this size before.", "Free that day.",
)  # fmt: skip
SAID: Mapping[int, Sequence[str]] = {  # by overall mark
    10: ("Spotless. Every corner.", "Could not be better.", "Perfect, and so friendly."),
    9: ("Excellent work.", "Very clean, very kind.", "We will ask again."),
    8: ("Very good, one shelf was forgotten.", "Good work, well on time.", "Clean and quick."),
    7: ("Good on the whole.", "Fine, though the bathroom could be better.", "Solid work."),
    6: ("All right for the price.", "Not bad, not special.", "Some dust was left."),
    5: ("It was rushed.", "Half of the windows were left out.", "I had to clean again here and there."),
}
