"""When things happen: Prefect flows, one file = one workflow = one flow of that name."""

import importlib
import pkgutil

from flows.workflow import Workflow


def workflows() -> list[Workflow]:
    """Every workflow, by place: the `WORKFLOW` of each module of this folder that has one, in order of name.

    Imports the flows and so Prefect; only what serves them asks.
    """
    found = []
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda each: each.name):
        workflow = getattr(importlib.import_module(f"{__name__}.{module.name}"), "WORKFLOW", None)
        if isinstance(workflow, Workflow):
            if workflow.name != module.name:
                raise ValueError(f"flows/{module.name}.py declares a workflow of another name: {workflow.name}")
            found.append(workflow)
    return found
