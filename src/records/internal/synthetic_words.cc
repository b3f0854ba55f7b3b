#include "records/internal/synthetic_words.h"

namespace pinflow::records::internal {

namespace {

using Word = std::string_view;

constexpr Word kArtSubjects[] = {"Harbour Sketches", "Ink Studies",    "Paper Landscapes", "Clay Portraits",
                                 "Gouache Gardens",  "Linocut Birds",  "Charcoal Skies",   "Mural Corners",
                                 "Collage Pages",    "Brush Lettering"};
constexpr Word kArtTags[] = {"harbour sketch",    "ink study",       "linocut print",   "clay portrait",
                             "gouache painting",  "mural wall",      "collage page",    "charcoal sky",
                             "sketchbook spread", "painter's table", "paper landscape", "brush pen",
                             "pencil shading",    "gallery corner",  "colour wheel"};
constexpr Word kBeautySubjects[] = {"Evening Braids", "Soft Eyeliner Looks", "Nail Patterns",
                                    "Skin Routines",  "Copper Hair Tones",   "Lip Tints",
                                    "Curl Routines",  "Bath Oils",           "Short Fringes"};
constexpr Word kBeautyTags[] = {"evening braid", "soft eyeliner", "nail pattern", "skin routine", "copper hair",
                                "lip tint",      "curl routine",  "bath oil",     "short fringe", "bride's make-up",
                                "brow shaping",  "hand cream",    "rose water",   "night serum",  "nail stickers"};
constexpr Word kChristmasSubjects[] = {"Paper Stars",      "Pine Garlands",  "Advent Boxes",
                                       "Ginger Biscuits",  "Felt Stockings", "Window Candles",
                                       "Cinnamon Wreaths", "Snow Globes",    "Gift Tags"};
constexpr Word kChristmasTags[] = {"paper star",    "pine garland",      "advent box",      "ginger biscuit",
                                   "felt stocking", "window candle",     "cinnamon wreath", "snow globe",
                                   "gift tag",      "santa's sleigh",    "winter table",    "tree topper",
                                   "mulled cider",  "sledge decoration", "ribbon bow"};
constexpr Word kDiySubjects[] = {"Jar Lanterns",  "Cork Boards",  "Rope Baskets",   "Pallet Shelves", "Button Frames",
                                 "Yarn Coasters", "Felt Animals", "Pebble Magnets", "Driftwood Hooks"};
constexpr Word kDiyTags[] = {"jar lantern",   "cork board",  "rope basket",   "pallet shelf",   "button frame",
                             "yarn coaster",  "felt animal", "pebble magnet", "driftwood hook", "children's craft",
                             "paper folding", "glue gun",    "egg box craft", "thread art",     "upcycled tins"};
constexpr Word kEducationSubjects[] = {"Reading Corners", "Fraction Games",   "Spelling Cards",
                                       "Science Trays",   "Classroom Charts", "Counting Songs",
                                       "Story Dice",      "Map Lessons",      "Quiet Boxes"};
constexpr Word kEducationTags[] = {"reading corner",  "fraction game",   "spelling card", "science tray",
                                   "classroom chart", "counting song",   "story dice",    "map lesson",
                                   "quiet box",       "teacher's desk",  "phonics sheet", "number line",
                                   "pencil grip",     "seed experiment", "word wall"};
constexpr Word kEventSubjects[] = {"Garden Weddings",  "Lantern Parties", "Seating Plans",
                                   "Table Settings",   "Cake Stands",     "Picnic Birthdays",
                                   "Invitation Cards", "Flower Arches",   "Farewell Dinners"};
constexpr Word kEventTags[] = {"garden wedding",  "lantern party",   "seating plan",    "table setting",
                               "cake stand",      "picnic birthday", "invitation card", "flower arch",
                               "farewell dinner", "guest's favour",  "band stage",      "name card",
                               "tent lighting",   "party checklist", "balloon garland"};
constexpr Word kFinanceSubjects[] = {"Savings Charts", "Weekly Budgets", "Envelope Plans",
                                     "Debt Trackers",  "Pantry Costs",   "Pension Notes",
                                     "Side Incomes",   "Bill Calendars", "Rainy Day Funds"};
constexpr Word kFinanceTags[] = {"savings chart",  "weekly budget", "envelope plan",  "debt tracker",   "pantry cost",
                                 "pension note",   "side income",   "bill calendar",  "rainy day fund", "saver's diary",
                                 "no spend month", "price list",    "interest table", "cash jar",       "money habits"};
constexpr Word kHomeSubjects[] = {"Hallway Benches",      "Linen Curtains", "Open Shelves",
                                  "Attic Bedrooms",       "Tiled Kitchens", "Reading Nooks",
                                  "Terracotta Bathrooms", "Oak Tables",     "Balcony Gardens"};
constexpr Word kHomeTags[] = {"hallway bench",  "linen curtain",     "open shelf",          "attic bedroom",
                              "tiled kitchen",  "reading nook",      "terracotta bathroom", "oak table",
                              "balcony garden", "grandma's dresser", "wall panel",          "woven rug",
                              "lamp shade",     "plant stand",       "pale walls"};
constexpr Word kMensSubjects[] = {"Wool Overcoats", "Canvas Trainers", "Linen Shirts", "Denim Jackets", "Knitted Ties",
                                  "Rolled Chinos",  "Leather Belts",   "Rain Parkas",  "Flat Caps"};
constexpr Word kMensTags[] = {"wool overcoat", "canvas trainers", "linen shirt", "denim jacket", "knitted tie",
                              "rolled chinos", "leather belt",    "rain parka",  "flat cap",     "men's layers",
                              "pocket square", "desert boots",    "work jacket", "short beard",  "grey suit"};
constexpr Word kQuoteSubjects[] = {"Morning Lines",           "Words on Patience", "Notes to Friends",
                                   "Short Proverbs",          "Lines on Rivers",   "Kitchen Wisdom",
                                   "Words on Starting Again", "Letters to Myself"};
constexpr Word kQuoteTags[] = {"morning line",   "patience words",   "notes to friends", "short proverb",
                               "river lines",    "kitchen wisdom",   "start again",      "letter to myself",
                               "quiet strength", "today's line",     "kind words",       "long walks",
                               "brave heart",    "evening thoughts", "family words"};
constexpr Word kTattooSubjects[] = {"Fern Tattoos",   "Compass Sleeves", "Fine Line Swallows",
                                    "Mountain Bands", "Ankle Stars",     "Wave Outlines",
                                    "Moth Designs",   "Script Tattoos",  "Koi Sleeves"};
constexpr Word kTattooTags[] = {"fern tattoo",    "compass sleeve", "fine line swallow", "mountain band",
                                "ankle star",     "wave outline",   "moth design",       "script tattoo",
                                "koi sleeve",     "sailor's knot",  "dot work",          "wrist tattoo",
                                "shoulder piece", "flash sheet",    "botanical ink"};
constexpr Word kTravelSubjects[] = {"Coastal Trails", "Night Trains", "Market Towns",  "Lake Cabins",  "Island Ferries",
                                    "Desert Camps",   "Old Harbours", "Mountain Huts", "City Weekends"};
constexpr Word kTravelTags[] = {"coastal trail", "night train", "market town",  "lake cabin",   "island ferry",
                                "desert camp",   "old harbour", "mountain hut", "city weekend", "traveller's notes",
                                "packing list",  "cliff walk",  "hill village", "slow travel",  "border crossing"};
constexpr Word kVehicleSubjects[] = {"Camper Vans",  "Vintage Scooters",   "Rally Coupes",
                                     "Cargo Bikes",  "Steam Tractors",     "Electric Hatchbacks",
                                     "Wooden Boats", "Touring Motorbikes", "Pickup Builds"};
constexpr Word kVehicleTags[] = {"camper van",     "vintage scooter",    "rally coupe",   "cargo bike",
                                 "steam tractor",  "electric hatchback", "wooden boat",   "touring motorbike",
                                 "pickup build",   "driver's seat",      "chrome bumper", "garage tools",
                                 "off road tyres", "two stroke",         "roof rack"};

constexpr CategoryWords kCategories[] = {
    {"art", 894, kArtSubjects, kArtTags},
    {"beauty", 745, kBeautySubjects, kBeautyTags},
    {"christmas", 997, kChristmasSubjects, kChristmasTags},
    {"diy-and-crafts", 831, kDiySubjects, kDiyTags},
    {"education", 863, kEducationSubjects, kEducationTags},
    {"event-planning", 747, kEventSubjects, kEventTags},
    {"finance", 787, kFinanceSubjects, kFinanceTags},
    {"home-decor", 861, kHomeSubjects, kHomeTags},
    {"mens-fashion", 852, kMensSubjects, kMensTags},
    {"quotes", 911, kQuoteSubjects, kQuoteTags},
    {"tattoos", 970, kTattooSubjects, kTattooTags},
    {"travel", 858, kTravelSubjects, kTravelTags},
    {"vehicles", 838, kVehicleSubjects, kVehicleTags},
};

constexpr Word kAdjectives[] = {"Bold",   "Calm",   "Cosy",   "Cheerful", "Clever", "Delicate", "Easy",   "Elegant",
                                "Faded",  "Gentle", "Golden", "Handmade", "Honest", "Joyful",   "Little", "Lively",
                                "Moody",  "Neat",   "Novel",  "Patient",  "Pretty", "Quick",    "Quiet",  "Rustic",
                                "Simple", "Slow",   "Soft",   "Striking", "Sunny",  "Thrifty",  "Warm",   "Weathered"};
constexpr Word kSeasons[] = {"Spring",  "Summer",  "Autumn",       "Winter",  "January",  "March",
                             "October", "Weekend", "Rainy Sunday", "Harvest", "New Year", "Holiday"};
constexpr Word kPeople[] = {"Beginners", "Parents",  "Students", "Small Families", "Neighbours", "Newcomers",
                            "Dreamers",  "Teachers", "Friends",  "Busy People",    "Gardeners",  "Grandparents"};
constexpr Word kAccented[] = {
    "Caf\u00e9",   "D\u00e9cor", "Cr\u00e8me", "Fa\u00e7ade", "\u00c9t\u00e9",
    "Ma\u00f1ana", "Sch\u00f6n", "Kr\u00e6s",  "\u0130lham",  "\u0428\u043a\u043e\u043b\u0430",
    "\u65c5\u884c"};
constexpr Word kEmoji[] = {"\U0001F33F",       "\U0001F384", "\U0001F697",
                           "\U0001F58B\uFE0F", "\U0001F9F5", "\U0001F44D\U0001F3FD"};

constexpr Word kPlainTitles[] = {
    "{c} {a} {n} to Try This {s}",
    "{a} {n} for {w}",
    "{n}: {c} Ideas for {w}",
    "{c} {n} That Look {a} All Year",
    "{a} and {a} {n}",
    "How to Plan {a} {n} in One {s}",
    "{n} | {a} Ideas",
    "{c} {a} {n} Under 30 Minutes, Step by Step",
    "From Plain to {a}: {n} for Every {s}",
    "{s} {n}",
    "Our {c} Favourite {n} of the {s} (and What They Cost)",
    "{n} - {a}, {a} & {a}",
};
constexpr Word kApostropheTitles[] = {"{c} {n} You'll Make Again", "A Beginner's Guide to {a} {n}",
                                      "Don't Miss These {a} {n}", "It's {s}: {n} for {w}",
                                      "What Nobody's Told You About {n}"};
constexpr Word kQuotedTitles[] = {"\"{a}\" {n} for {w}", "Why We Say \"{a} First\" When It Comes to {n}",
                                  "{n}, or: \"{a} Things Take Time\""};
constexpr Word kAccentedTitles[] = {"{x} {n} for {w}",   "{a} {n} \u2013 {s} Edition", "{c} {n} with {x} Flair",
                                    "{w}\u2019 {a} {n}", "{n} \u2022 {a} \u2022 {s}",  "{a} {n} \u201cla {x}\u201d"};
constexpr Word kSentences[] = {
    "These {n} are {l} enough for {w} and quick to finish.",
    "We collected {c} {n} from readers, and each one has its own story.",
    "Start with one corner, keep it {l}, and add more in {s}.",
    "You need little more than paper, patience and a free afternoon.",
    "Here is what we learned after {c} attempts at {n}.",
    "Save this for later if you plan something {l} for {w}.",
    "No special tools, no long lists, just {n} that work.",
    "A {l} idea that costs next to nothing and lasts all {s}.",
    "Find the full list of {c} steps on our page.",
    "Which of these {n} would you choose?",
    "Our grandmother made {n} like these every {s}.",
    "Perfect for {w} who like things {l}.",
    "Measure twice, cut once, and let it dry overnight.",
    "It looks {l} in the morning light and even better at night.",
    "Tips for {w}: begin small, and do not hurry.",
    "See how {c} people turned the same idea into {l} {n}.",
};

constexpr Word kPosterAdjectives[] = {
    "Amber",  "Azure",  "Birch",  "Blue",   "Brisk",   "Cedar",  "Chalk",   "Clover", "Copper",  "Coral",  "Crisp",
    "Dapper", "Dusk",   "Early",  "Ember",  "Fennel",  "Flint",  "Foggy",   "Frosty", "Ginger",  "Glad",   "Granite",
    "Hazel",  "Hidden", "Humble", "Indigo", "Ivory",   "Jade",   "Juniper", "Kindly", "Lemon",   "Lilac",  "Linen",
    "Lucky",  "Maple",  "Marble", "Merry",  "Mint",    "Misty",  "Mossy",   "Nimble", "Noble",   "Nutmeg", "Oaken",
    "Olive",  "Opal",   "Pebble", "Plum",   "Poppy",   "Quaint", "Russet",  "Rosy",   "Saffron", "Sandy",  "Silver",
    "Spruce", "Sunlit", "Tawny",  "Teal",   "Thistle", "Velvet", "Violet",  "Willow", "Woven"};
constexpr Word kPosterNouns[] = {
    "Acorn",   "Anchor",  "Anvil",    "Arbor",  "Attic",    "Badger",   "Barn",    "Basket",  "Beacon", "Bellows",
    "Bramble", "Bridge",  "Button",   "Candle", "Canvas",   "Chimney",  "Cobbler", "Compass", "Corner", "Cottage",
    "Cricket", "Cup",     "Dormouse", "Drawer", "Easel",    "Falcon",   "Feather", "Fiddle",  "Finch",  "Garden",
    "Gate",    "Harbour", "Hearth",   "Heron",  "Kettle",   "Kite",     "Lantern", "Larder",  "Ledger", "Loft",
    "Magpie",  "Meadow",  "Mill",     "Needle", "Nest",     "Notebook", "Oar",     "Orchard", "Otter",  "Paddle",
    "Pantry",  "Parlour", "Pencil",   "Pigeon", "Pocket",   "Porch",    "Quarry",  "Quill",   "Raven",  "Ribbon",
    "Saddle",  "Satchel", "Scissor",  "Shed",   "Spindle",  "Sparrow",  "Spoon",   "Stable",  "Table",  "Teapot",
    "Thimble", "Timber",  "Trellis",  "Turnip", "Umbrella", "Valley",   "Wagon",   "Weaver",  "Window", "Workshop"};

}  // namespace

std::span<const CategoryWords> categories() {
  return kCategories;
}
Words adjectives() {
  return kAdjectives;
}
Words seasons() {
  return kSeasons;
}
Words people_words() {
  return kPeople;
}
Words accented_words() {
  return kAccented;
}
Words emoji() {
  return kEmoji;
}
Words plain_titles() {
  return kPlainTitles;
}
Words apostrophe_titles() {
  return kApostropheTitles;
}
Words quoted_titles() {
  return kQuotedTitles;
}
Words accented_titles() {
  return kAccentedTitles;
}
Words sentences() {
  return kSentences;
}
Words poster_adjectives() {
  return kPosterAdjectives;
}
Words poster_nouns() {
  return kPosterNouns;
}

}  // namespace pinflow::records::internal
