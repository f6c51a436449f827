"""A process can neither look at nor touch what it did not declare, and a number that means nothing is refused at once."""

from __future__ import annotations

import numpy as np
import pytest
from toy_process import Does, ring_at, stepper_of

from paget.errors import ContractError, NumericalError


# ---- the contract -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda see, do: see["cell.p21"], "reads 'cell.p21' without declaring it"),
        (lambda see, do: see["field.c3"], "reads 'field.c3'"),
        (lambda see, do: see.here("field.c3"), "reads 'field.c3'"),
        (lambda see, do: see.slope("field.c3"), "reads 'field.c3'"),
        (lambda see, do: see["body.serum_c3"], "reads 'body.serum_c3'"),
        (lambda see, do: see.doses, "reads 'protocol.doses'"),
        (lambda see, do: see.operations, "reads 'protocol.operations'"),
        (lambda see, do: see.is_type("fibroblast"), "reads 'cell.type'"),
        (lambda see, do: do.add("cell.p21", 1.0), "adds to 'cell.p21' without declaring it"),
        (lambda see, do: do.lose("body.serum_c3", 1.0), "adds to 'body.serum_c3'"),
        (lambda see, do: do.secrete("field.c3", np.ones(see.count)), "adds to 'field.c3'"),
        (lambda see, do: do.transfer("field.net", "field.laminin", 1.0), "adds to 'field.net'"),
        (lambda see, do: do.move(np.zeros((3, see.count))), "adds to 'cell.position'"),
        (lambda see, do: do.set("cell.p21", 1.0), "sets 'cell.p21' without declaring it"),
        (lambda see, do: do.emit("death", np.zeros(see.count)), "emits 'death' without declaring it"),
        (lambda see, do: do.arrive("neutrophil", np.ones(see.count, int), {}), "emits 'arrival'"),
        (lambda see, do: do.ring(1.0), "asks for a clock without declaring one"),
    ],
)
def test_what_is_not_declared_is_refused_when_it_happens(toy, act, message):
    with pytest.raises(ContractError, match=f"process 'does' {message}"):
        stepper_of(toy(Does(act=act))).step()


def test_what_a_process_sees_cannot_be_changed_behind_the_engine(toy):
    names = ("cell.p21", "field.c3", "body.doxorubicin_amounts")

    def act(see, do):
        for name in names:
            with pytest.raises(ValueError, match="read-only"):
                see[name][...] = 1.0

    from paget.catalogue.drugs import kinetics
    from paget.evidence import load_parameters

    model = toy(Does(may_read=names, act=act), kinetics("doxorubicin"), parameters=load_parameters("lung_awakening"))
    stepper_of(model).step()


def test_cells_leave_material_only_in_fields_that_are_declared(toy):
    process = Does(may_emit=("death",), act=ring_at([0.0])("death", leaves={"field.net": 1.0}))
    with pytest.raises(ContractError, match=r"adds to 'field\.net' without declaring it"):
        stepper_of(toy(process)).step()


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (ring_at([0.0])("conversion", to="fibrobast"), "makes cells of type 'fibrobast'.*Did you mean 'fibroblast'"),
        (ring_at([0.0])("conversion"), "a conversion that changes nothing"),
        (
            ring_at([0.0])("conversion", to="neutrophil", values={"cell.erk": 1.0}),
            "gives 'cell.erk' to cells, which do not have it",
        ),
        (lambda see, do: do.arrive("neutrofil", np.ones(see.count, int), {}), "Did you mean 'neutrophil'"),
    ],
)
def test_new_cells_are_of_a_known_type_with_known_variables(toy, act, message):
    with pytest.raises(ContractError, match=message):
        stepper_of(toy(Does(may_emit=("conversion", "arrival"), waits=True, act=act))).step()


# ---- numbers that mean nothing ----------------------------------------------------------------------------------------
NAN = float("nan")


@pytest.mark.parametrize(
    "act",
    [
        lambda see, do: do.add("cell.p21", NAN),
        lambda see, do: do.add("cell.p21", np.where(np.arange(see.count) == 3, np.inf, 0.0)),
        lambda see, do: do.lose("cell.p21", NAN),
        lambda see, do: do.secrete("field.c3", np.full(see.count, NAN)),
        lambda see, do: do.transfer("field.net", "field.laminin", NAN),
        lambda see, do: do.move(np.full((3, see.count), NAN)),
        lambda see, do: do.set("cell.secretome", np.full(see.count, NAN)),
        lambda see, do: do.ring(NAN),
        lambda see, do: do.emit("death", np.full(see.count, NAN)),
        lambda see, do: do.emit("death", np.zeros(see.count), leaves={"field.net": NAN}),
        lambda see, do: do.emit("conversion", np.zeros(see.count), to="neutrophil", values={"cell.p21": NAN}),
        lambda see, do: do.lose("cell.p21", -0.1),
        lambda see, do: do.lose("field.c3", np.full((3, 3, 3), -0.1)),
        lambda see, do: do.transfer("field.net", "field.laminin", -0.1),
        lambda see, do: do.ring(-0.1),
    ],
)
def test_a_value_that_is_not_a_number_or_a_negative_rate_of_loss_is_refused_with_process_and_time(toy, act):
    adds = ("cell.p21", "field.c3", "field.net", "field.laminin", "cell.position")
    process = Does(
        role="slip",
        may_add=adds,
        may_set=("cell.secretome",),
        may_emit=("death", "conversion"),
        waits=True,
        act=lambda see, do: act(see, do) if see.time >= 4.0 else None,
    )
    stepper = stepper_of(toy(process))
    stepper.step()
    stepper.step()
    with pytest.raises(NumericalError, match="process 'slip' at 4 h"):
        stepper.step()
