"""Systems of rate equations that come with the project, written anew from their publications."""

from paget.catalogue.kinetics.bone import bone_cycle, bone_signalling, myeloma_bone, remodelling_cycle

__all__ = ["bone_cycle", "bone_signalling", "myeloma_bone", "remodelling_cycle"]
