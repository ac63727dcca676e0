"""Invented names, Arabic and English. A person's second name says that there is no such person."""

import itertools
from typing import NamedTuple


class Name(NamedTuple):
    """A name in both languages."""

    arabic: str
    english: str


def _pairs(listed: str) -> tuple[Name, ...]:
    """`Arabic|English`, with an Arabic comma after each."""
    return tuple(Name(*pair.split("|")) for pair in listed.split("،"))


_MEN = _pairs(
    "سالم|Salem،فهد|Fahd،ماجد|Majed،طارق|Tareq،ياسر|Yasser،بندر|Bandar،خالد|Khaled،عمر|Omar،"
    "ناصر|Nasser،راشد|Rashed،سعود|Saud،زياد|Ziyad،حمد|Hamad،وليد|Waleed،عادل|Adel،سامي|Sami،"
    "فيصل|Faisal،تركي|Turki،مشعل|Mishal،نواف|Nawaf،بدر|Badr،هاني|Hani،جابر|Jaber،رامي|Rami"
)
_WOMEN = _pairs(
    "نورة|Noura،هند|Hind،ريم|Reem،سارة|Sara،لمى|Lama،منى|Mona،دانة|Dana،هيا|Haya،عبير|Abeer،"
    "جود|Joud،شهد|Shahad،أمل|Amal"
)
_INVENTED = _pairs(
    "التجريبي|Altajribi،النموذجي|Alnamudhaji،المثالي|Almithali،الافتراضي|Aliftiradi،"
    "التخيّلي|Altakhayyuli،التوضيحي|Altawdihi،الاختباري|Alikhtibari،التمثيلي|Altamthili"
)
_MALE_DOGS = _pairs(
    "شهاب|Shihab،برق|Barq،درع|Deraa،صقر|Saqr،رعد|Raad،نمر|Nimr،سهم|Sahm،فارس|Fares،"
    "لهب|Lahab،عزم|Azm،جسور|Jasour،ليث|Laith،بركان|Burkan،إعصار|Iesar،نسر|Nisr،"
    "صخر|Sakhr،شاهين|Shaheen،غيث|Ghaith،ظافر|Zafer،مدار|Madar،نجم|Najm،وميض|Wameed،"
    "حارس|Hares،رماح|Rimah،سيل|Sayl،طيف|Tayf،فهد|Fahd،قمر|Qamar،كاسر|Kaser،معن|Maan،"
    "هيثم|Haytham،يزن|Yazan،جبل|Jabal،ربان|Rubban،سند|Sanad،عقاب|Uqab،مهاب|Muhab،"
    "وثاب|Waththab،ذيب|Theeb،تيار|Tayyar"
)
_FEMALE_DOGS = _pairs(
    "وثبة|Wathba،زوبعة|Zawbaa،عاصفة|Asifa،لمعة|Lamaa،غيمة|Ghayma،شعلة|Shula،ريشة|Risha،"
    "موجة|Mawja،نسمة|Nasma،بادية|Badiya،جمرة|Jamra،حمامة|Hamama،دانة|Dana،رمال|Rimal،"
    "سحابة|Sahaba،شمس|Shams،صبا|Saba،ظبية|Zabya،عنقاء|Anqa،غزالة|Ghazala،فجر|Fajr،"
    "قطرة|Qatra،كحيلة|Kuhayla،لؤلؤة|Lulua،مها|Maha،نجمة|Najma،هبوب|Hubub،واحة|Waha،"
    "ياقوت|Yaqout،برقة|Barqa،تلة|Talla،ثريا|Thuraya،جوهرة|Jawhara،خزامى|Khuzama،"
    "روضة|Rawda،زهرة|Zahra،سدرة|Sidra،ضياء|Diyaa،عذبة|Athba،فضة|Fidda"
)
PROJECTS = _pairs(
    "مطار الواحة|Oasis Airport،ميناء السدرة|Sidra Port،معرض القافلة|Caravan Expo،"
    "بوابة الشمال|North Gate،سوق المنارة|Lighthouse Market،محطة النخيل|Palms Station"
)
PLACES = _pairs(
    "البوابة الرئيسية|Main gate،بوابة المغادرة الشرقية|East departures gate،"
    "ساحة الشحن|Cargo yard،مواقف الزوار|Visitors' car park،دورية السور|Fence patrol"
)
SHIFTS = _pairs("صباحية|Morning،مسائية|Evening،ليلية|Night")
BREEDS = (
    "مالينو بلجيكي (Malinois)",
    "راعٍ ألماني (German Shepherd)",
    "لابرادور (Labrador)",
    "راعٍ هولندي (Dutch Shepherd)",
    "سبرنغر إنجليزي (Springer Spaniel)",
)
#: Those who sign in have these names; the others are made by `person`.
MANAGER = Name("نورة المثالية", "Noura Almithaliya")
HANDLERS = (
    Name("سالم التجريبي", "Salem Altajribi"),
    Name("هند النموذجية", "Hind Alnamudhajiya"),
    Name("فهد التجريبي", "Fahd Altajribi"),
    Name("ريم النموذجية", "Reem Alnamudhajiya"),
)
_TAKEN = frozenset((MANAGER, *HANDLERS))
_GIVEN = [*((name, False) for name in _MEN), *((name, True) for name in _WOMEN)]
_ROUND = len(_GIVEN) * len(_INVENTED)


def people(count: int) -> list[Name]:
    """So many names, none of them of those who sign in."""
    names = (_person(number) for number in itertools.count())
    return list(itertools.islice((name for name in names if name not in _TAKEN), count))


def _person(number: int) -> Name:
    """Given name, father's name once all without one are used, second name."""
    round_, place = divmod(number, _ROUND)
    # Steps that share no factor with the lengths mix the names.
    given, is_woman = _GIVEN[place * 7 % len(_GIVEN)]
    second = _INVENTED[(place // len(_GIVEN) + place) % len(_INVENTED)]
    father = _MEN[(round_ - 1) % len(_MEN)] if round_ else None
    of, ending = (("بنت", "bint"), ("ة", "ya")) if is_woman else (("بن", "bin"), ("", ""))
    return Name(*(
        " ".join([given[language], *([of[language], father[language]] if father else []),
                  second[language] + ending[language]])
        for language in (0, 1)
    ))  # fmt: skip


def dog(number: int) -> tuple[Name, bool]:
    """The name of the dog of that number, and whether it is a female."""
    place, is_female = divmod(number, 2)
    listed = _FEMALE_DOGS if is_female else _MALE_DOGS
    return listed[place % len(listed)], bool(is_female)
