"""Where people meet Label Studio's pages: the only place that makes such addresses."""


def queue_address(server: str, project_id: int) -> str:
    """Gives whoever opens it their next task, and nobody else's answers.

    Without ``labeling=1`` it is the data manager: a task that is opened there shows the answer
    of whoever came first, and submitting overwrites it.

    Args:
        server: where people's browsers find Label Studio, without a slash at the end.
        project_id: Label Studio's own id of the project.
    """
    return f"{server}/projects/{project_id}/data?labeling=1"


def own_task_address(server: str, project_id: int, task_id: int) -> str:
    """Opens one task, for the person whom it alone asks and who has not answered it.

    For any other task, and anybody else, it is not safe (see ``queue_address``). The queue gives
    such a copy to nobody, so its person has no other way to it.
    """
    return f"{server}/projects/{project_id}/data?task={task_id}"
