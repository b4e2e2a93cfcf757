"""The verbs of enrolment, for whoever has that role; what each does stands in its own module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.casework.agreements import (
    ask_agreement,
    cover_case,
    end_agreement,
    give_notice,
    open_agreement,
    refuse_agreement,
    resume_agreement,
    review_agreement,
    set_fields,
    suspend_agreement,
    uncover_case,
    undo_agreement,
)
from gateway.casework.authorisations import add_authorisation, revoke_authorisation
from gateway.casework.designation import (
    change_address,
    confirm_place,
    hold_meeting,
    invite_user,
    join_user,
    name_user,
    resume_user,
    revoke_user,
    schedule_meeting,
    suspend_user,
    undo_user,
)
from gateway.casework.second_person import decline

ENROLMENT: tuple[Callable[..., dict[str, Any]], ...] = (
    add_authorisation,
    ask_agreement,
    change_address,
    confirm_place,
    cover_case,
    decline,
    end_agreement,
    give_notice,
    hold_meeting,
    invite_user,
    join_user,
    name_user,
    open_agreement,
    refuse_agreement,
    resume_agreement,
    resume_user,
    review_agreement,
    revoke_authorisation,
    revoke_user,
    schedule_meeting,
    set_fields,
    suspend_agreement,
    suspend_user,
    uncover_case,
    undo_agreement,
    undo_user,
)
"""Each is done by the keyholder, as `gateway.casework.administration.enact`."""
