"""Models, rules, cells and results in the formats of PhysiCell: read or written, no science.

tissue = read_settings("config/PhysiCell_settings.xml")
write_settings(tissue, "export")
write_snapshot("output", 0, snapshot)
"""

from paget.io.physicell.cells import read_cells, write_cells
from paget.io.physicell.rule_tables import read_rules, write_rules
from paget.io.physicell.settings_in import read_settings, summary
from paget.io.physicell.settings_out import write_settings
from paget.io.physicell.snapshot import Snapshot, read_snapshot, snapshot_of, write_snapshot

__all__ = [
    "Snapshot",
    "read_cells",
    "read_rules",
    "read_settings",
    "read_snapshot",
    "snapshot_of",
    "summary",
    "write_cells",
    "write_rules",
    "write_settings",
    "write_snapshot",
]
