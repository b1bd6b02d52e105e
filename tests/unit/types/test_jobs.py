"""The jobs API's answers."""

from __future__ import annotations

from typing import Any

import pytest

from comfyclient._convert import structure
from comfyclient.types import HistoryStatus, JobInfo, JobsPage, Pagination
from tests.captures import capture


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("job_detail_completed", "completed"),
        ("job_detail_failed", "failed"),
        ("job_detail_cancelled", "cancelled"),
        ("job_ui_all", "completed"),
    ],
)
def test_a_recorded_job(name: str, status: str) -> None:
    body = capture(name)
    job = structure(body, JobInfo)

    assert job.status == status
    assert job.extra == {}
    assert job.outputs == body["outputs"]
    assert isinstance(job.execution_status, HistoryStatus)
    assert (job.execution_error is not None) == (status == "failed")
    assert "class_type" not in repr(job)
    assert "boom" not in repr(job)


@pytest.mark.parametrize("name", ["jobs_list_active", "jobs_list_history"])
def test_a_recorded_list(name: str) -> None:
    body = capture(name)
    page = structure(body, JobsPage)

    assert [job.id for job in page.jobs] == [job["id"] for job in body["jobs"]]
    assert page.pagination == Pagination(0, None, len(page.jobs), has_more=False)
    assert not any(job.extra for job in page.jobs)


def test_a_waiting_job_has_little_to_say() -> None:
    job = structure(capture("jobs_list_active"), JobsPage).jobs[0]

    assert job == JobInfo(job.id, "pending", 0.5, 1795330643452, outputs_count=0)


@pytest.mark.parametrize("workflow_id", ["wf", 5, None, {"odd": 1}])
def test_one_submitters_odd_workflow_id_does_not_hide_the_list_from_everybody(workflow_id: Any) -> None:
    assert structure({"id": "a", "status": "pending", "workflow_id": workflow_id}, JobInfo).workflow_id == workflow_id
