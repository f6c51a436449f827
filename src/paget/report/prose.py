"""The sentences of the report: the abstract, the findings and the legends, computed from the result."""

from __future__ import annotations

from paget.compare import Comparison
from paget.report.material import SIGNIFICANT, Material
from paget.report.theme import joined, length_text

__all__ = ["abstract", "counted", "findings", "lower_first"]

_FINDINGS_PER_CONTRAST = 2
_MOST_FINDINGS = 12
_MOST_NAMED = 6
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
        f"{opening} {'was' if arms == 1 else 'were'} followed for {length_text(material.days)} in the model "
        f"“{model.get('title') or model['name']}” (seed {study.seed})."
    ]
    if study.description:
        sentences.insert(
            0, study.description.strip().rstrip(".") + ("" if study.description.strip().endswith("?") else ".")
        )
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
    if shown is not material:
        sentences.append(f"Of the {len(study.arms)} arms, those that differ most from their controls are told of here.")
    sentences += _directions(shown)
    if not study.contrasts:
        sentences.append("The study names no control arm, so nothing is compared.")
    return " ".join(sentences)


def named(arm: str) -> str:
    """Set an arm's name in quotation marks where it would read as part of the sentence."""
    return f"“{arm}”" if "," in arm or " and " in arm else arm


def _directions(material: Material) -> list[str]:
    """One sentence for each control and pattern of change; arms that changed the same readouts share theirs."""
    told = {r["name"] for r in (*material.headline, *material.timed)}
    alike: dict[tuple[str, str], list[str]] = {}
    for arm, versus in material.study.contrasts:
        mine = [c for c in material.comparisons if (c.arm, c.versus) == (arm, versus) and c.readout in told]
        alike.setdefault((versus, _changes(mine)), []).append(named(arm))
    return [f"Against {named(versus)}, {joined(arms)} {changes}." for (versus, changes), arms in alike.items()]


def _changes(comparisons: list[Comparison]) -> str:
    if not any(c.p is not None for c in comparisons):
        return "could not be tested, because too few finished"
    groups: dict[str, list[str]] = {}
    for c in comparisons:
        if _differs(c) and c.effect:
            verbs = ("lengthened", "shortened") if c.kind == "time" else ("raised", "lowered")
            groups.setdefault(verbs[c.effect < 0], []).append(lower_first(c.title))
    if not groups:
        return f"changed none of the {len(comparisons)} main readouts (adjusted p ≥ {SIGNIFICANT:g})"
    parts = [
        f"{verb} {_listed(groups[verb])}" for verb in ("raised", "lowered", "lengthened", "shortened") if verb in groups
    ]
    return " and ".join(parts)


def _listed(names: list[str]) -> str:
    kept = names[:_MOST_NAMED]
    return joined([*kept, f"{len(names) - len(kept)} more"] if len(names) > len(kept) else kept)


def _differs(comparison: Comparison) -> bool:
    p = comparison.p_adjusted if comparison.p_adjusted is not None else comparison.p
    return p is not None and p < SIGNIFICANT


def findings(material: Material) -> list[Comparison]:
    """Choose the comparisons to spell out: of each contrast the surest ones, the end of the causal chain first."""
    names = [r["name"] for r in (*material.timed, *reversed(material.headline))]
    chosen: list[Comparison] = []
    for arm, versus in material.study.contrasts:
        mine = [
            c
            for c in material.comparisons
            if (c.arm, c.versus) == (arm, versus) and c.p is not None and c.readout in names
        ]
        mine.sort(key=lambda c: (not _differs(c), names.index(c.readout)))
        chosen += mine[:_FINDINGS_PER_CONTRAST]
    return chosen[:_MOST_FINDINGS]
