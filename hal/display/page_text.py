"""The page of a computer with threads: the latest view lies in texts that are never changed."""

import io
import json

from wattledger.hal.display.page import COMPACT, Page, withheld


class TextPage(Page):
    """One thread may call show() while another reads: it is a single assignment."""

    _latest = ("", "", "")  # members of the JSON object: public, private, withheld

    def keep(self, view):
        # Written out member by member into two texts: no second dict, and no text twice.
        public, private = io.StringIO(), io.StringIO()
        hidden = []
        for name, value in view.items():
            out = public
            if not self.is_seen(name):
                out = private
                hidden.append(name)
            out.write('"%s": ' % name)
            json.dump(value, out, separators=COMPACT)
            out.write(", ")
        latest = (public.getvalue(), private.getvalue(), withheld(hidden))
        changed = latest != self._latest
        self._latest = latest
        return changed

    def member(self, name, everything):
        public, private, _ = self._latest
        text = public + private if everything else public
        mark = '"%s": ' % name
        at = text.find(mark)
        if at < 0:
            return None
        at += len(mark)
        end = text.find(', "', at)  # within a value no comma is followed by a blank
        return text[at : end if end >= 0 else -2]

    def parts(self, everything):
        public, private, hidden = self._latest
        members = public + (private if everything else hidden)
        return ["{%s}" % members[:-2]]
