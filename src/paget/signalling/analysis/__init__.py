"""What a modeller asks of a network: where it ends, how it gets there, what perturbations do, how two networks differ."""

from paget.signalling.analysis.attractors import Attractors, ComplexAttractor, attractors
from paget.signalling.analysis.difference import Change, Difference, diff
from paget.signalling.analysis.epistasis import independent
from paget.signalling.analysis.probabilities import StateProbabilities, outputs_of, state_probabilities
from paget.signalling.analysis.screens import WILD_TYPE, EffectTable, Perturbation, knock_outs, screen

__all__ = [
    "WILD_TYPE",
    "Attractors",
    "Change",
    "ComplexAttractor",
    "Difference",
    "EffectTable",
    "Perturbation",
    "StateProbabilities",
    "attractors",
    "diff",
    "independent",
    "knock_outs",
    "outputs_of",
    "screen",
    "state_probabilities",
]
