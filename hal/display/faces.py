"""Several displays as one (contract Page): each shows the view, any may ask."""


class Faces:
    """`faces` are asked in turn, the first first."""

    def __init__(self, faces):
        self._faces = tuple(faces)

    def show(self, view):
        """Hand the view to every display."""
        for face in self._faces:
            if face.show is not None:
                face.show(view)

    def answer(self, name, text):
        """Hand on what one of them asked for."""
        for face in self._faces:
            if hasattr(face, "answer"):  # a button asks for nothing
                face.answer(name, text)

    def request(self):
        """The next request of a person at any of them, or None."""
        for face in self._faces:
            request = face.request()
            if request is not None:
                return request
        return None
