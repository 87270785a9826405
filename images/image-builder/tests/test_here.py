"""images/build: what it is called with, what it builds and what it doesn't, and what is left of a failure."""

import concurrent.futures
import contextlib
import dataclasses
import io
import shutil
import tempfile
import unittest
import urllib.request
from pathlib import Path
from unittest import mock

from build_here import buildah, components, inputs, main, options
from build_here.folder import Folder
from build_here.components import Components
from build_image import build, image, paths
from build_image.failures import PackagesRefused, Unavailable
from build_image.mirror import Mirror, Origin
from build_image.request import Repository, Request

REAL = Path(__file__).resolve().parents[2]


class Here(unittest.TestCase):
    """A folder for each test, with a dnf repository in it."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.repository = self.folder / "repository"
        (self.repository / "repodata").mkdir(parents=True)
        (self.repository / "repodata/repomd.xml").write_text("<repomd/>")


class OptionsTest(Here):
    """The command line."""

    def parse(self, *arguments: str) -> options.Options:
        with contextlib.redirect_stderr(io.StringIO()) as said:
            try:
                return options.parse(list(arguments), REAL)
            except SystemExit as ended:
                raise ValueError(said.getvalue()) from ended

    def test_without_names_it_is_those_of_an_instance(self) -> None:
        self.assertEqual(self.parse().components, [
            "backend", "backend-httpd", "builder", "database", "dist-git", "frontend", "keygen", "redis", "resalloc", "sanity"])
        binary = self.folder / "copr-operator"
        binary.touch()
        self.assertEqual(self.parse("--operator-binary", str(binary)).components[-1], "operator")

    def test_repositories(self) -> None:
        given = self.parse("--repository", f"standin={self.repository}", "--repository",
                           "pr=https://r.example/x/,priority=10,gpgkey=https://r.example/key")
        self.assertEqual(given.repositories, [
            Repository("standin", str(self.repository), options.PRIORITY),
            Repository("pr", "https://r.example/x/", 10, "https://r.example/key")])

    def test_what_is_refused(self) -> None:
        for arguments, why in [
            (["nope"], "there is no component nope"),
            (["golden"], "there is no component golden"),
            (["operator"], "--operator-binary"),
            (["--prefix", "copr-"], "begins with a host"),
            (["--repository", "x=https://r.example/,gpgkey=file:///etc/pki/key"], "give one at https://"),
            (["--repository", "https://r.example/"], "isn't NAME=BASEURL"),
            (["--repository", f"x={self.folder}"], "no repodata/repomd.xml"),
            (["--repository", "x=ftp://r.example/"], "http(s)"),
            (["--repository", "x=https://me:secret@r.example/"], "in a cluster"),
            (["--repository", "x=https://r.example/,enabled=0"], "priority=N and gpgkey=URL"),
            (["--repository", "x=https://r.example/,priority=high"], "priority=N and gpgkey=URL"),
            (["--repository", "x=https://a.example/", "--repository", "x=https://b.example/"], "the same name"),
        ]:
            with self.subTest(arguments=arguments), self.assertRaises(ValueError) as raised:
                self.parse(*arguments)
            self.assertIn(why, str(raised.exception))
            self.assertNotIn("secret", str(raised.exception).partition("error:")[2])


class InputsTest(Here):
    """What makes another image, and what doesn't."""

    def test_a_folder_is_its_names_and_contents_wherever_it_is(self) -> None:
        found = inputs.of_folder(self.repository)
        shutil.copytree(self.repository, self.folder / "elsewhere")
        (self.folder / "elsewhere/__pycache__").mkdir()
        (self.folder / "elsewhere/__pycache__/x.pyc").touch()
        self.assertEqual(inputs.of_folder(self.folder / "elsewhere"), found)
        (self.folder / "elsewhere/more").touch()
        self.assertNotEqual(inputs.of_folder(self.folder / "elsewhere"), found)

    def of(self, repository: Repository) -> str:
        """With the repository behind a web server, as dnf gets it."""
        with Folder(self.repository) as folder:
            origin = Origin(dataclasses.replace(repository, base_url=folder.url), paths.CREDENTIALS, paths.AUTHORITIES)
            with Mirror([origin], self.folder, port=0, limit=0) as mirror, contextlib.redirect_stdout(io.StringIO()):
                return inputs.of_repositories(mirror)

    def test_a_repository_is_its_content_and_its_rank(self) -> None:
        found = self.of(Repository("x", "", 50))
        self.assertEqual(self.of(Repository("x", "", 50)), found)
        self.assertNotEqual(self.of(Repository("x", "", 10)), found)
        (self.repository / "repodata/repomd.xml").write_text("<repomd>2</repomd>")
        self.assertNotEqual(self.of(Repository("x", "", 50)), found)

    def test_one_that_is_gone_is_no_empty_one(self) -> None:
        (self.repository / "repodata/repomd.xml").unlink()
        with self.assertRaises(Unavailable) as raised:
            self.of(Repository("x", "", 50))
        self.assertIn("answered 404", raised.exception.lines[0])

    def test_a_folder_is_served_as_it_is(self) -> None:
        with Folder(self.repository) as folder, urllib.request.urlopen(f"{folder.url}/repodata/repomd.xml") as answer:
            self.assertEqual(answer.read(), b"<repomd/>")


class ImagesTest(Here):
    """What is built of what, with a storage that only remembers names."""

    def setUp(self) -> None:
        super().setUp()
        self.names: set[str] = set()
        self.made: list[tuple[str, dict[str, str]]] = []
        self.said = self.enterContext(contextlib.redirect_stderr(io.StringIO()))
        for target, name, replacement in [
            (buildah, "has", self.names.__contains__), (buildah, "identity", lambda _: "sha256:ab"),
            (buildah, "pull", lambda _: None), (buildah, "forget", lambda *names: self.names.difference_update(names)),
            (buildah, "name", lambda _, *names: self.names.update(names)),
            (image, "make", self.make), (build, "build", self.make),
            (paths, "WORK", paths.WORK), (tempfile, "tempdir", str(self.folder)),
        ]:
            self.enterContext(mock.patch.object(target, name, replacement))

    def make(self, request: Request, *_: object) -> None:
        print("STEP 1/1: FROM x")
        self.names.update((build.built(request), build.labelled(request)))
        if request.component == "keygen" and self.failure:
            raise self.failure
        self.made.append((request.component, request.build_args))

    failure: BaseException | None = None

    def call(self, *components: str) -> list[str]:
        """One call of the program."""
        binary = self.folder / "copr-operator"
        binary.write_text("binary")
        given = options.Options("fedora:44", [], "latest", "localhost/copr-", binary, list(components))
        work = Path(tempfile.mkdtemp())
        with Mirror([], work, port=0) as mirror:
            made = Components(REAL, work, given, mirror)
            return [made.make(component) for component in components]

    def test_each_once_and_the_base_first(self) -> None:
        self.assertEqual(self.call("keygen", "sanity-tmt"), ["localhost/copr-keygen:latest", "localhost/copr-sanity-tmt:latest"])
        self.assertEqual([component for component, _ in self.made], ["base", "keygen", "sanity", "sanity-tmt"])
        args = dict(self.made)
        self.assertEqual(args["base"], {"BASE_IMAGE": "fedora:44"})
        self.assertRegex(args["keygen"]["BASE"], "^localhost/copr-base:[0-9a-f]{12}$")
        self.assertRegex(args["sanity-tmt"]["BASE"], "^localhost/copr-sanity:[0-9a-f]{12}$")
        self.assertIn("localhost/copr-base:latest", self.names)
        self.assertEqual(self.unfinished(), [])
        self.made.clear()
        self.call("sanity-tmt", "keygen", "base")
        self.assertEqual(self.made, [])

    def test_the_operator_has_no_base_but_whom_to_believe(self) -> None:
        self.assertEqual(self.call("operator"), ["localhost/copr-operator:latest"])
        self.assertEqual(self.made, [("operator", {"BASE_IMAGE": "fedora:44"})])

    def test_a_failure_names_the_component_and_leaves_the_log(self) -> None:
        self.failure = PackagesRefused("failed at: RUN dnf", ["No match for argument: copr-keygen"])
        with self.assertRaises(PackagesRefused) as raised:
            self.call("keygen")
        self.assertEqual(raised.exception.summary, "keygen: failed at: RUN dnf")
        self.assertEqual(raised.exception.lines[0], "No match for argument: copr-keygen")
        (log,) = self.folder.glob("copr-image-*.log")
        self.assertEqual(raised.exception.lines[1], f"The whole log is {log}")
        self.assertEqual(log.read_text(), "STEP 1/1: FROM x\n")
        self.assertNotIn("localhost/copr-keygen:latest", self.names)
        self.assertIn(f"images: keygen: building; its log is {log}\n", self.said.getvalue())
        self.assertEqual(self.unfinished(), [])

    def test_an_interrupt_leaves_nothing(self) -> None:
        self.failure = KeyboardInterrupt()
        with self.assertRaises(KeyboardInterrupt):
            self.call("keygen")
        self.assertEqual([*self.folder.glob("copr-image-*.log")], [])
        self.assertEqual(self.unfinished(), [])

    def unfinished(self) -> list[str]:
        """Names that images have only while they are built."""
        return [name for name in self.names if name.startswith("localhost/copr-build/")]

    def test_what_somebody_else_builds_is_waited_for_and_not_built_again(self) -> None:
        name = self.call("keygen")[0]
        (hashed,) = (one for one in self.names if one.startswith("localhost/copr-keygen:") and one != name)
        self.names.remove(hashed)
        self.made.clear()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            with components.alone(REAL / "keygen"):
                waits = pool.submit(self.call, "keygen")
                with self.assertRaises(TimeoutError):
                    waits.result(timeout=0.5)
                # The other one is done.
                self.names.add(hashed)
            self.assertEqual(waits.result(timeout=60), [name])
        self.assertEqual(self.made, [])


class MainTest(Here):
    """How the program ends."""

    def end(self, failure: BaseException | None) -> tuple[int, str]:
        with (mock.patch.object(main, "make", side_effect=failure), mock.patch.object(main.signal, "signal"),
              contextlib.redirect_stderr(io.StringIO()) as said):
            return main.main(["keygen"], REAL), said.getvalue()

    def test_exit_codes(self) -> None:
        self.assertEqual(self.end(None), (0, "images: done in 0 s\n"))
        self.assertEqual(self.end(PackagesRefused("keygen: failed", ["Error: no"])), (1, "images: keygen: failed\n    Error: no\n"))
        self.assertEqual(self.end(Unavailable("no image"))[0], 2)
        code, said = self.end(OSError(28, "No space left on device"))
        self.assertEqual((code, said.splitlines()[-1]), (2, "images: OSError: [Errno 28] No space left on device"))

    def test_a_list_builds_nothing(self) -> None:
        with mock.patch.object(main, "make") as make, contextlib.redirect_stdout(io.StringIO()) as said:
            self.assertEqual(main.main(["--list"], REAL), 0)
        self.assertIn("keygen\n", said.getvalue())
        make.assert_not_called()
