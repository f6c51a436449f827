"""A small model in the files of PhysiCell: two cell types, two substrates, rules and first cells."""

from __future__ import annotations

from pathlib import Path

RULES = """// a comment
tumour,oxygen,increases,cycle entry,0.003,21.5,4,0
tumour,pressure,decreases,cycle entry,0,1,4,0
tumour,custom:oncoprotein,increases,cycle entry,0.002,1,2,0
tumour,damage,increases,apoptosis,0.01,5,8,0
T cell,signal factor gradient,increases,migration speed,2,0.1,2,0
T cell,contact with tumour,decreases,migration speed,0.1,0.5,8,0
T cell,time,decreases,attack tumour,0,7200,2,0
tumour,dead,increases,signal factor secretion,10,0.5,10,1
"""

CELLS = """x,y,z,type,volume,migration speed
-50,0,0,tumour,2494,skip
12.5,-3.25,0,T cell,1000,0.75
0,0,0,tumour,s,s
"""

DEATH = """
<death>
  <model code="100" name="apoptosis">
    <death_rate units="1/min">5.3e-05</death_rate>
    <phase_durations units="min"><duration index="0" fixed_duration="true">516</duration></phase_durations>
    <parameters>
      <unlysed_fluid_change_rate units="1/min">0.05</unlysed_fluid_change_rate>
      <lysed_fluid_change_rate units="1/min">0</lysed_fluid_change_rate>
      <cytoplasmic_biomass_change_rate units="1/min">1.66667e-02</cytoplasmic_biomass_change_rate>
      <nuclear_biomass_change_rate units="1/min">5.83333e-03</nuclear_biomass_change_rate>
      <calcification_rate units="1/min">0</calcification_rate>
      <relative_rupture_volume units="dimensionless">2.0</relative_rupture_volume>
    </parameters>
  </model>
  <model code="101" name="necrosis">
    <death_rate units="1/min">0.0001</death_rate>
    <phase_durations units="min">
      <duration index="0" fixed_duration="true">0</duration>
      <duration index="1" fixed_duration="true">86400</duration>
    </phase_durations>
    <parameters>
      <unlysed_fluid_change_rate units="1/min">1.11667e-2</unlysed_fluid_change_rate>
      <lysed_fluid_change_rate units="1/min">8.33333e-4</lysed_fluid_change_rate>
      <cytoplasmic_biomass_change_rate units="1/min">5.33333e-5</cytoplasmic_biomass_change_rate>
      <nuclear_biomass_change_rate units="1/min">2.16667e-3</nuclear_biomass_change_rate>
      <calcification_rate units="1/min">7e-5</calcification_rate>
      <relative_rupture_volume units="dimensionless">1.5</relative_rupture_volume>
    </parameters>
  </model>
</death>
"""

SETTINGS = f"""<PhysiCell_settings version="devel-version">
  <domain>
    <x_min>-100</x_min><x_max>100</x_max><y_min>-60</y_min><y_max>60</y_max><z_min>-10</z_min><z_max>10</z_max>
    <dx>20</dx><dy>20</dy><dz>20</dz><use_2D>true</use_2D>
  </domain>
  <overall>
    <max_time units="min">1440</max_time><time_units>min</time_units><space_units>micron</space_units>
    <dt_diffusion units="min">0.01</dt_diffusion><dt_mechanics units="min">0.1</dt_mechanics>
    <dt_phenotype units="min">6</dt_phenotype>
  </overall>
  <parallel><omp_num_threads>4</omp_num_threads></parallel>
  <save><folder>output</folder></save>
  <options><virtual_wall_at_domain_edge>true</virtual_wall_at_domain_edge><random_seed>0</random_seed></options>
  <microenvironment_setup>
    <variable name="oxygen" units="mmHg" ID="0">
      <physical_parameter_set>
        <diffusion_coefficient units="micron^2/min">100000.0</diffusion_coefficient>
        <decay_rate units="1/min">0.1</decay_rate>
      </physical_parameter_set>
      <initial_condition units="mmHg">38</initial_condition>
      <Dirichlet_boundary_condition units="mmHg" enabled="True">38</Dirichlet_boundary_condition>
      <Dirichlet_options>
        <boundary_value ID="xmin" enabled="True">30</boundary_value>
        <boundary_value ID="ymax" enabled="False">0</boundary_value>
      </Dirichlet_options>
    </variable>
    <variable name="signal factor" units="dimensionless" ID="1">
      <physical_parameter_set>
        <diffusion_coefficient units="micron^2/min">1000</diffusion_coefficient>
        <decay_rate units="1/min">0.02</decay_rate>
      </physical_parameter_set>
      <initial_condition units="mmHg">0.5</initial_condition>
      <Dirichlet_boundary_condition units="mmHg" enabled="False">0</Dirichlet_boundary_condition>
    </variable>
    <options>
      <calculate_gradients>true</calculate_gradients>
      <track_internalized_substrates_in_each_agent>true</track_internalized_substrates_in_each_agent>
      <initial_condition type="csv" enabled="false"><filename>ic.csv</filename></initial_condition>
      <dirichlet_nodes type="csv" enabled="false"><filename>bc.csv</filename></dirichlet_nodes>
    </options>
  </microenvironment_setup>
  <cell_definitions>
    <cell_definition name="tumour" ID="0">
      <phenotype>
        <cycle code="6" name="Flow cytometry model (separated)">
          <phase_durations units="min">
            <duration index="0" fixed_duration="false">300.0</duration>
            <duration index="1" fixed_duration="true">480</duration>
            <duration index="2" fixed_duration="true">240</duration>
            <duration index="3" fixed_duration="true">60</duration>
          </phase_durations>
        </cycle>
        {DEATH}
        <volume>
          <total units="micron^3">2494</total><fluid_fraction units="dimensionless">0.75</fluid_fraction>
          <nuclear units="micron^3">540</nuclear><fluid_change_rate units="1/min">0.05</fluid_change_rate>
          <cytoplasmic_biomass_change_rate units="1/min">0.0045</cytoplasmic_biomass_change_rate>
          <nuclear_biomass_change_rate units="1/min">0.0055</nuclear_biomass_change_rate>
          <calcified_fraction units="dimensionless">0</calcified_fraction>
          <calcification_rate units="1/min">0</calcification_rate>
          <relative_rupture_volume units="dimensionless">2.0</relative_rupture_volume>
        </volume>
        <mechanics>
          <cell_cell_adhesion_strength units="micron/min">0.4</cell_cell_adhesion_strength>
          <cell_cell_repulsion_strength units="micron/min">10.0</cell_cell_repulsion_strength>
          <relative_maximum_adhesion_distance units="dimensionless">1.25</relative_maximum_adhesion_distance>
          <cell_adhesion_affinities>
            <cell_adhesion_affinity name="tumour">1</cell_adhesion_affinity>
            <cell_adhesion_affinity name="T cell">0.25</cell_adhesion_affinity>
          </cell_adhesion_affinities>
          <options>
            <set_relative_equilibrium_distance enabled="false" units="dimensionless">1.8</set_relative_equilibrium_distance>
            <set_absolute_equilibrium_distance enabled="false" units="micron">15.12</set_absolute_equilibrium_distance>
          </options>
          <attachment_elastic_constant units="1/min">0.01</attachment_elastic_constant>
          <attachment_rate units="1/min">0.003</attachment_rate>
          <detachment_rate units="1/min">0.001</detachment_rate>
          <maximum_number_of_attachments>6</maximum_number_of_attachments>
        </mechanics>
        <motility>
          <speed units="micron/min">1</speed><persistence_time units="min">1</persistence_time>
          <migration_bias units="dimensionless">.5</migration_bias>
          <options><enabled>false</enabled><use_2D>true</use_2D></options>
        </motility>
        <secretion>
          <substrate name="oxygen">
            <secretion_rate units="1/min">0</secretion_rate>
            <secretion_target units="substrate density">38</secretion_target>
            <uptake_rate units="1/min">10</uptake_rate>
            <net_export_rate units="total substrate/min">0</net_export_rate>
          </substrate>
          <substrate name="signal factor">
            <secretion_rate units="1/min">0</secretion_rate>
            <secretion_target units="substrate density">1</secretion_target>
            <uptake_rate units="1/min">0</uptake_rate>
            <net_export_rate units="total substrate/min">0</net_export_rate>
          </substrate>
        </secretion>
        <cell_interactions>
          <apoptotic_phagocytosis_rate units="1/min">0</apoptotic_phagocytosis_rate>
          <attack_rates><attack_rate name="T cell" units="1/min">0</attack_rate></attack_rates>
          <immunogenicities><immunogenicity name="T cell" units="dimensionless">0.5</immunogenicity></immunogenicities>
        </cell_interactions>
        <cell_integrity>
          <damage_rate units="1/min">0.0</damage_rate><damage_repair_rate units="1/min">0.004</damage_repair_rate>
        </cell_integrity>
      </phenotype>
      <custom_data>
        <oncoprotein conserved="false" units="none" description="">1.25</oncoprotein>
        <sample conserved="false" units="dimensionless" description="">1.0</sample>
      </custom_data>
      <initial_parameter_distributions enabled="false"></initial_parameter_distributions>
    </cell_definition>
    <cell_definition name="T cell" ID="1">
      <phenotype>
        <cycle code="5" name="live">
          <phase_transition_rates units="1/min">
            <rate start_index="0" end_index="0" fixed_duration="false">0.00072</rate>
          </phase_transition_rates>
        </cycle>
        <motility>
          <speed units="micron/min">0.5</speed><persistence_time units="min">5</persistence_time>
          <migration_bias units="dimensionless">.8</migration_bias>
          <options>
            <enabled>true</enabled><use_2D>true</use_2D>
            <chemotaxis>
              <enabled>true</enabled><substrate>signal factor</substrate><direction>1</direction>
            </chemotaxis>
            <advanced_chemotaxis>
              <enabled>false</enabled><normalize_each_gradient>false</normalize_each_gradient>
            </advanced_chemotaxis>
          </options>
        </motility>
        <cell_interactions>
          <attack_rates><attack_rate name="tumour" units="1/min">0.02</attack_rate></attack_rates>
          <attack_damage_rate units="1/min">1</attack_damage_rate><attack_duration units="min">15</attack_duration>
          <fusion_rates><fusion_rate name="tumour" units="1/min">0</fusion_rate></fusion_rates>
        </cell_interactions>
      </phenotype>
    </cell_definition>
  </cell_definitions>
  <cell_rules>
    <rulesets>
      <ruleset protocol="CBHG" version="3.0" format="csv" enabled="true">
        <folder>./config</folder><filename>rules.csv</filename>
      </ruleset>
    </rulesets>
  </cell_rules>
  <initial_conditions>
    <cell_positions type="csv" enabled="true"><folder>./config</folder><filename>cells.csv</filename></cell_positions>
  </initial_conditions>
  <user_parameters><random type="int" units="none" description="">1</random></user_parameters>
</PhysiCell_settings>
"""


def written(folder: Path, *changes: tuple[str, str], rules: str = RULES, cells: str = CELLS) -> Path:
    """The files in a folder ``config``, with texts of the settings replaced; the path of the settings."""
    config = folder / "config"
    config.mkdir(exist_ok=True)
    text = SETTINGS
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    (config / "PhysiCell_settings.xml").write_text(text)
    (config / "rules.csv").write_text(rules)
    (config / "cells.csv").write_text(cells)
    return config / "PhysiCell_settings.xml"
