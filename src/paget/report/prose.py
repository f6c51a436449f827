"""The sentences of the report: the abstract, the findings and the legends, computed from the result."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from paget.compare import Comparison
from paget.experiment import HOURS_PER_DAY
from paget.report.material import SIGNIFICANT, Material
from paget.report.sweeps import points_of, sweep_in_words
from paget.report.theme import DAYS_PER_YEAR, in_years, joined, length_text, moment_text

__all__ = [
    "abstract",
    "branched",
    "counted",
    "findings",
    "for_readers",
    "in_words_of",
    "listed_arms",
    "lower_first",
    "named",
    "never_happened",
    "of_individuals",
]

_FINDINGS_PER_CONTRAST = 2
_MOST_FINDINGS = 6
_MOST_NAMED = 6
_MOST_ARMS_NAMED = 5
_ARMS_NAMED_OF_MORE = 3
_VERBS = ("raised", "lowered", "lengthened", "shortened")
_JOINING = {"and", "or", "as", "when", "if", "then", "with", "without", "before", "after", "until", "no", "not", "than"}
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """Write ``one animal``, ``12 arms``."""
    word = _WORDS[number] if number < len(_WORDS) else f"{number:,}"
    return f"{word} {singular if number == 1 else plural or singular + 's'}"


def lower_first(text: str) -> str:
    """Start a title in lower case inside a sentence, unless it starts with a name such as C3 or NET."""
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text


def abstract(material: Material, shown: Material) -> str:
    """Say in one paragraph what was done and in which direction each contrast went; sizes are left to the findings.

    shown : the same, or of a study of many arms those that are told of
    """
    study, model = material.study, material.model
    one, arms = material.individual, len(study.arms)
    an = f"an {one}" if one[0] in "aeiou" else f"a {one}"
    opening = (
        counted(arms, "arm").capitalize()
        + f" of {counted(study.replicates, f'virtual {material.individual}', f'virtual {material.individuals}')}"
    )
    if arms > 1:
        opening += " each"
    sentences = [
        f"{opening} {'was' if arms == 1 else 'were'} followed {_period(material)} in the model "
        f"“{model.get('title') or model['name']}” (seed {study.seed})."
    ]
    if study.description:
        sentences.insert(
            0, study.description.strip().rstrip(".") + ("" if study.description.strip().endswith("?") else ".")
        )
    if study.branch is not None:
        sentences.append(branched(material))
    if study.contrasts and any(c.paired for c in material.comparisons):
        sentences.append(
            f"{an.capitalize()} of one number is the same {one} in every arm, with the same random numbers until the "
            "treatments differ, so that arms are compared in pairs where the test allows it."
        )
    failed = sum(material.lost.values())
    if failed:
        sentences.append(
            f"{counted(failed, one, material.individuals).capitalize()} of {arms * study.replicates} did not finish and "
            f"{'is' if failed == 1 else 'are'} left out of every number below."
        )
    points = points_of(study)
    if points:
        sentences += _sweep(material, points)
    elif shown is not material:
        sentences.append(f"Of the {len(study.arms)} arms, those that differ most from their controls are told of here.")
    sentences += _directions(shown, points)
    sentences += never_happened(material)
    if not study.contrasts:
        sentences.append("The study names no control arm, so nothing is compared.")
    return " ".join(sentences)


def named(arm: str) -> str:
    """Set an arm's name in quotation marks where it would read as part of the sentence."""
    words = set(arm.split())
    return f"“{arm}”" if "," in arm or words & _JOINING else arm


def _period(material: Material) -> str:
    if material.start == 0.0:
        return f"for {length_text(material.days)}"
    return f"from {moment_text(material.start, material.days)} to {moment_text(material.days, material.days)}"


def listed_arms(arms: Sequence[str]) -> str:
    """Name a few arms; of many, tell how many there are and name three."""
    names = [named(arm) for arm in arms]
    if len(names) <= _MOST_ARMS_NAMED:
        return joined(names)
    return f"{counted(len(names), 'arm')} ({_few(names)})"


def _few(names: Sequence[str]) -> str:
    """Name all if they are few, or else three of them."""
    more = len(names) - _ARMS_NAMED_OF_MORE
    return joined(names if len(names) <= _MOST_ARMS_NAMED else [*names[:_ARMS_NAMED_OF_MORE], f"{more} more"])


def branched(material: Material) -> str:
    """Say where the individuals of a study that branched off another one come from."""
    branch = material.study.branch
    assert branch is not None
    folder = re.split(r"[\\/]", branch.result.rstrip("\\/"))[-1]
    day = moment_text(branch.at / HOURS_PER_DAY, material.days)
    return (
        f"The {material.individuals} are those of arm “{branch.arm}” of the study in “{folder}” as they were on {day}; "
        f"times count from the start of that study, so that everything shown begins on {day}."
    )


def never_happened(material: Material) -> list[str]:
    """Say of each arm that waits for something in how many individuals it never happened."""
    told = []
    for (arm, moment), rows in material.moments.groupby(["arm", "moment"], sort=False):
        never = int(rows["day"].isna().sum())
        if never:
            which = (
                f"any {material.individual}" if never == len(rows) else f"{never} of {len(rows)} {material.individuals}"
            )
            told.append(
                f"In {named(str(arm))}, “{moment}” did not happen in {which}, so that what waits for it was not done there."
            )
    return told


def _sweep(material: Material, points: Sequence[str]) -> list[str]:
    """What was swept, which points differ from what they are compared with, and in what."""
    study = material.study
    assert study.sweep is not None
    titles = {p["key"]: lower_first(str(p.get("title") or p["key"])) for p in material.model.get("parameters", ())}
    way = (
        ""
        if study.sweep.design == "grid"
        else f" ({study.sweep.design.replace('latin', 'Latin').replace('sobol', 'Sobol sequence')})"
    )
    many = counted(len(points), "of the arms is a point", "of the arms are points")
    sentences = [f"{many.capitalize()} of a sweep of {sweep_in_words(study, titles)}{way}."]
    main = {r["name"] for r in (*material.headline, *material.timed)}
    for versus in dict.fromkeys(v for arm, v in study.contrasts if arm in points):
        mine = [c for c in material.comparisons if c.versus == versus and c.arm in points and c.readout in main]
        tested = [arm for arm in points if any(c.arm == arm and c.p is not None for c in mine)]
        if not tested:
            sentences.append(
                f"Against {named(versus)} no point could be tested, because too few {material.individuals} finished."
            )
            continue
        moved = [c for c in mine if _differs(c) and c.effect]
        differing = [arm for arm in tested if any(c.arm == arm for c in moved)]
        if not differing:
            sentences.append(
                f"None of {len(tested)} points differs from {named(versus)} in a main readout (adjusted p ≥ {SIGNIFICANT:g})."
            )
            continue
        differ = "differs" if len(differing) == 1 else "differ"
        sentences.append(
            f"{counted(len(differing), 'point').capitalize()} of {len(tested)} {differ} from {named(versus)} in a main "
            f"readout (adjusted p < {SIGNIFICANT:g}): {_few([named(arm) for arm in differing])}, which "
            f"{_moved(moved, len(differing))}."
        )
    return sentences


def _moved(comparisons: Sequence[Comparison], points: int) -> str:
    """In which direction how many points moved each readout."""
    parts = []
    counts = Counter((_verb(c), lower_first(c.title)) for c in comparisons)
    for verb in _VERBS:
        titles = [
            title if number == points else f"{title} (at {number})"
            for (v, title), number in counts.items()
            if v == verb
        ]
        if titles:
            parts.append(f"{verb} {_listed(titles)}")
    return " and ".join(parts)


def _directions(material: Material, points: Sequence[str]) -> list[str]:
    """One sentence for each control and pattern of change; arms that changed the same readouts share theirs.

    points : arms that are told of elsewhere
    """
    told = {r["name"] for r in (*material.headline, *material.timed)}
    alike: dict[tuple[str, str], list[str]] = {}
    for arm, versus in material.study.contrasts:
        if arm in points:
            continue
        mine = [c for c in material.comparisons if (c.arm, c.versus) == (arm, versus) and c.readout in told]
        alike.setdefault((versus, _changes(mine)), []).append(arm)
    return [f"Against {named(versus)}, {listed_arms(arms)} {changes}." for (versus, changes), arms in alike.items()]


def _changes(comparisons: list[Comparison]) -> str:
    if not any(c.p is not None for c in comparisons):
        return "could not be tested, because too few finished"
    groups: dict[str, list[str]] = {}
    for c in comparisons:
        if _differs(c) and c.effect:
            groups.setdefault(_verb(c), []).append(lower_first(c.title))
    if not groups:
        return f"changed none of the {len(comparisons)} main readouts (adjusted p ≥ {SIGNIFICANT:g})"
    return " and ".join(f"{verb} {_listed(groups[verb])}" for verb in _VERBS if verb in groups)


def _verb(comparison: Comparison) -> str:
    """What an arm did to a readout; of a time, whether the event came later or earlier."""
    up, down = _VERBS[2:] if comparison.kind == "time" else _VERBS[:2]
    return up if (comparison.effect or 0.0) > 0 else down


def _listed(names: list[str]) -> str:
    kept = names[:_MOST_NAMED]
    return joined([*kept, f"{len(names) - len(kept)} more"] if len(names) > len(kept) else kept)


def _differs(comparison: Comparison) -> bool:
    p = comparison.p_adjusted if comparison.p_adjusted is not None else comparison.p
    return p is not None and p < SIGNIFICANT


def findings(material: Material) -> list[Comparison]:
    """Choose the comparisons to spell out: significant ones, the end of the causal chain first, at most two of a contrast.

    Contrasts of arms that were named one by one come before those of points of a sweep.
    """
    names = [r["name"] for r in (*material.timed, *material.headline_from_end)]
    points = points_of(material.study)
    ranked = []
    for place, (arm, versus) in enumerate(material.study.contrasts):
        mine = [
            c
            for c in material.comparisons
            if (c.arm, c.versus) == (arm, versus) and _differs(c) and c.effect and c.readout in names
        ]
        mine.sort(key=lambda c: names.index(c.readout))
        ranked += [(nth, arm in points, place, c) for nth, c in enumerate(mine[:_FINDINGS_PER_CONTRAST])]
    chosen = sorted(ranked, key=lambda row: row[:3])[:_MOST_FINDINGS]
    return [c for *_, c in sorted(chosen, key=lambda row: (row[2], row[0]))]


def for_readers(comparison: Comparison, material: Material) -> Comparison:
    """Tell a comparison in the words of the study: of patients where they are patients, times in years where it is long."""
    told = replace(
        comparison,
        note=of_individuals(comparison.note, material),
        test=of_individuals(comparison.test, material),
    )
    if not (told.kind == "time" and told.unit == "day" and in_years(material.days)):
        return told
    return replace(
        told,
        unit="years",
        mean_name=re.sub(r"day ([\d.e+]+)", _to_year, told.mean_name),
        effect=None if told.effect is None else told.effect / DAYS_PER_YEAR,
        interval=None
        if told.interval is None
        else (told.interval[0] / DAYS_PER_YEAR, told.interval[1] / DAYS_PER_YEAR),
    )


def in_words_of(n_arm: int, n_versus: int, paired: bool) -> str:
    """Write the numbers that a comparison rests on: ``10 pairs``, ``9 / 10``."""
    return f"{n_arm:,} {'pair' if n_arm == 1 else 'pairs'}" if paired else f"{n_arm:,} / {n_versus:,}"


def of_individuals(text: str, material: Material) -> str:
    """Speak of patients where the individuals of a study are patients."""
    if material.individuals == "animals":
        return text
    return re.sub(r"\banimal(s?)\b", lambda found: material.individuals if found[1] else material.individual, text)


def _to_year(day: re.Match[str]) -> str:
    return f"year {float(day[1]) / DAYS_PER_YEAR:.3g}"
