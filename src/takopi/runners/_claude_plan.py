"""Fold claude's two kinds of to-do lists into the one plan of a run.

`TodoWrite` gives the whole list each time. `TaskCreate`, `TaskUpdate` and `TaskList` work on one
list step by step; the number of a new task is known only from the tool's result.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from takopi.model import Action
from takopi.runners._texts import plan_action

__all__ = ["PLAN_TOOLS", "ClaudePlan"]

PLAN_TOOLS = frozenset({"TodoWrite", "TodoRead", "TaskCreate", "TaskUpdate", "TaskList", "TaskGet"})

_CREATED = re.compile(r"Task #(?P<id>\S+) created")
_STATUSES = frozenset({"pending", "in_progress", "completed"})


@dataclass
class ClaudePlan:
    """Be the plan.

    Args:
        items: Text and status of each item by its key, in order.
        shown: Whether the plan's action was started.
    """

    items: dict[str, tuple[str, str]] = field(default_factory=dict)
    shown: bool = False
    _calls: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)

    def call(self, call_id: str, name: str, arguments: Any) -> bool:
        """Take a call of one of `PLAN_TOOLS`; say whether the plan changed."""
        values = arguments if isinstance(arguments, dict) else {}
        self._calls[call_id] = (name, values)
        if name == "TodoWrite" and isinstance(values.get("todos"), list):
            todos = [todo for todo in values["todos"] if isinstance(todo, dict)]
            self.items = {
                str(n): (str(todo.get("content", "")), _status(todo.get("status")))
                for n, todo in enumerate(todos)
            }
            return True
        if name == "TaskCreate" and isinstance(values.get("subject"), str):
            self.items[call_id] = (values["subject"], "pending")
            return True
        return False

    def knows(self, call_id: str) -> bool:
        """Say whether a call belongs to the plan."""
        return call_id in self._calls

    def result(self, call_id: str, text: str, extra: Any, *, is_error: bool) -> bool:
        """Take the result of a call; say whether the plan changed."""
        name, values = self._calls.pop(call_id)
        record = extra if isinstance(extra, dict) else {}
        if is_error:
            return self.items.pop(call_id, None) is not None
        if name == "TaskCreate":
            self._name(call_id, text, record.get("task"))
            return False
        if name == "TaskUpdate":
            return self._update(values)
        if name == "TaskList" and isinstance(record.get("tasks"), list):
            return self._replace(record["tasks"])
        return False

    def action(self) -> Action:
        """Make the plan's action."""
        return plan_action(list(self.items.values()))

    def _name(self, call_id: str, text: str, task: Any) -> None:
        found = _CREATED.search(text)
        number = task.get("id") if isinstance(task, dict) else None
        number = number or (found["id"] if found else None)
        if number is not None and call_id in self.items:
            self.items = {
                str(number) if key == call_id else key: item for key, item in self.items.items()
            }

    def _update(self, values: dict[str, Any]) -> bool:
        key = str(values.get("taskId", ""))
        status, subject = values.get("status"), values.get("subject")
        if not key or not (status or subject):
            return False
        if status == "deleted":
            return self.items.pop(key, None) is not None
        # A task of an earlier turn is known by its number alone, until the list is read.
        text, before = self.items.get(key, (f"task {key}", "pending"))
        self.items[key] = (
            subject if isinstance(subject, str) else text,
            _status(status) if status else before,
        )
        return True

    def _replace(self, tasks: list[Any]) -> bool:
        before = self.items
        self.items = {
            str(task.get("id", n)): (str(task.get("subject", "")), _status(task.get("status")))
            for n, task in enumerate(tasks)
            if isinstance(task, dict)
        }
        return self.items != before


def _status(value: Any) -> str:
    return value if isinstance(value, str) and value in _STATUSES else "pending"
