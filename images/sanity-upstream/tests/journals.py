"""Journals as beakerlib writes them."""

import base64
from pathlib import Path

RESULTS = """\
# This is a result file of the test in a 'sourceable' form.
# Description of individual variables can be found in beakerlib man page.
TESTRESULT_STATE={state}
TESTRESULT_RESULT_STRING={result}
TESTRESULT_RESULT_ECODE=20
TESTRESULT_PHASES_PASSED=1
TESTRESULT_PHASES_FAILED=2
TESTRESULT_PHASES_SKIPPED=0
TESTRESULT_ASSERTS_FAILED=3
TESTRESULT_STARTTIME=1795684823
TESTRESULT_ENDTIME=
TESTRESULT_DURATION=
TESTRESULT_BEAKERLIB_DIR=/evidence/x
TESTRESULT_PHASES_FINGERPRINT=fDvg2raJ
TESTRESULT_ASSERTS_FINGERPRINT={asserts}

"""

# Of beakerlib 1.32 with lxml: a phase that warns, one that fails with what XML has to escape, one that passes.
XML = """\
<?xml version='1.0' encoding='utf-8'?>
<BEAKER_TEST>
  <testname timestamp="2026-11-26 09:20:24 UTC">unknown</testname>
  <starttime timestamp="2026-11-26 09:20:24 UTC">2026-11-26 09:20:23 UTC</starttime>
  <log starttime="2026-11-26 09:20:25 UTC" endtime="2026-11-26 09:20:28 UTC"><phase name="Setup" type="WARN" result="WARN" \
score="1" starttime="2026-11-26 09:20:25 UTC" endtime="2026-11-26 09:20:26 UTC"><test timestamp="2026-11-26 09:20:26 UTC" \
message="Command 'true' (Expected 0, got 0)" command="true">PASS</test><pkgnotinstalled timestamp="2026-11-26 09:20:26 UTC">\
copr-cli</pkgnotinstalled><test timestamp="2026-11-26 09:20:26 UTC" message="Checking for the presence of copr-cli rpm ">FAIL\
</test></phase><phase name="weird / &amp; &lt;name&gt; &quot;q&quot;" type="FAIL" result="FAIL" score="2" \
starttime="2026-11-26 09:20:27 UTC" endtime="2026-11-26 09:20:30 UTC"><test timestamp="2026-11-26 09:20:27 UTC" \
message="comment&#10;with newline (Expected 0, got 1)" command="echo hi; false">FAIL</test><message \
timestamp="2026-11-26 09:20:27 UTC" severity="INFO">token é</message><test timestamp="2026-11-26 09:20:27 UTC" \
message="a is b (Assert: 'a' should equal 'b')">FAIL</test></phase><phase name="Cleanup" type="WARN" result="PASS" score="0" \
starttime="2026-11-26 09:20:28 UTC" endtime="2026-11-26 09:20:28 UTC"><test timestamp="2026-11-26 09:20:28 UTC" \
message="Command 'true' (Expected 0, got 0)" command="true">PASS</test></phase><message timestamp="2026-11-26 09:20:28 UTC" \
severity="LOG">Phases fingerprint:  fDvg2raJ</message></log>
</BEAKER_TEST>
"""

# Of a test that ended in its second phase, in the middle of a line.
META = """\
package --timestamp=1795684829 -- dW5rbm93bg==
starttime --timestamp=1795684830
log --timestamp=1795684830
 phase --timestamp=1795684830 --name=U2V0dXA= --type=V0FSTg==
  test --timestamp=1795684830 --message=Q29tbWFuZCAndHJ1ZScgKEV4cGVjdGVkIDAsIGdvdCAwKQ== --command=dHJ1ZQ== -- UEFTUw==
  pkgnotinstalled --timestamp=1795684830 -- Y29wci1jbGk=
 --timestamp=1795684831 --result=UEFTUw== --score=MA==
 phase --timestamp=1795684831 --name=d2VpcmQgLyAmIDxuYW1lPiAicSI= --type=RkFJTA==
  test --timestamp=1795684831 --message=Y29tbWVudAp3aXRoIG5ld2xpbmUgKEV4cGVjdGVkIDAsIGdvdCAxKQ== --command=ZQ== -- RkFJTA==
  message --timestamp=1795684832 --severity=SU5GTw== -- dG9r"""


def leave(folder: Path, state: str, result: str, asserts: str = "f8AfMJXJ", **files: str) -> Path:
    """A folder with TestResults and these files; `_` in a name is its dot."""
    (folder / "TestResults").write_text(RESULTS.format(state=state, result=result, asserts=asserts), encoding="utf-8")
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content, encoding="utf-8")
    return folder


def xml(*phases: tuple[str, str, int, int]) -> str:
    """A journal of phases: name, result, how many assertions passed, how many failed."""
    body = "".join(
        f'<phase name="{name}" result="{result}" starttime="2026-11-26 09:20:25 UTC" endtime="2026-11-26 09:20:26 UTC">'
        + '<test message="fine">PASS</test>' * good
        + "".join(f'<test message="wrong {i}">FAIL</test><message severity="LOG">{"x" * 100}</message>' for i in range(bad))
        + "</phase>" for name, result, good, bad in phases)
    return f"<BEAKER_TEST><log>{body}</log></BEAKER_TEST>"


def meta(name: str, message: str, result: str) -> str:
    """A journal of one phase with one assertion."""
    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()
    return (f"log --timestamp=1\n phase --timestamp=1 --name={encoded(name)} --type=RkFJTA==\n"
            f"  test --timestamp=2 --message={encoded(message)} -- {encoded(result)}\n")
