"""What a form asks for."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.errors import UploadRefused
from pypid.domain.form_actions import FormAction, action_of
from pypid.domain.uploads import read_upload
from tests.domain.test_uploads import WHEEL, a_form


class ActionTests(SynchronousTestCase):
    def test_what_is_asked_for(self) -> None:
        for action in FormAction:
            self.assertEqual(action_of({":action": (action.value,)}), action)

    def test_what_nobody_knows_is_read_as_an_upload(self) -> None:
        """Which is refused, with all else that is wrong with it."""
        for said in ((), ("user",), ("submit", "submit"), ("submit", "verify", "x")):
            self.assertIs(action_of({":action": said}), FormAction.FILE_UPLOAD)
            self.assertRaises(UploadRefused, read_upload, {**a_form(), ":action": said}, WHEEL.filename)
