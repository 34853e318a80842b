"""The contract: 33 event types whose id and name are fixed, to the letter."""

import jsonschema_rs

from openproctor.catalog import CATALOG

PART_1 = {
    3: "Session Joined", 4: "Window Focus-In", 5: "Window Focus-Out", 6: "User Idle", 7: "User Active",
    9: "Socket connection success", 10: "Socket disconnected", 12: "Screen-capture Stopped", 13: "Recording Started",
    14: "Recording Stopped", 15: "Face Detected", 16: "Face Not Detected", 17: "Notification Permission Granted",
    18: "Notification Permission Denied", 26: "Camera Test Passed", 27: "Camera Test Failed", 34: "Audio Test Passed",
    60: "Camera Detected", 81: "Multiple Face Detected", 113: "Session Completed", 145: "Photo ID capture",
    146: "Face capture", 149: "Screen Capture Enabled", 150: "Screen Capture Denied", 154: "Face capture Success",
    155: "Face capture Failure", 156: "ID card capture success", 158: "Socket connection failure",
    159: "Audio device detected", 161: "Environment test capture success", 169: "Mobile Phone Detected",
    170: "Book detected", 181: "Candidate Offline",
}  # fmt: skip
PART_2 = {
    1001: "Audio Test Failed", 1002: "ID card capture failure", 1003: "Environment test capture failure",
    1004: "Camera Disconnected", 1005: "Microphone Disconnected", 1006: "Screen capture resumed",
    1020: "Full-screen Exited", 1021: "Full-screen Entered", 1022: "Clipboard Used", 1023: "Print Attempted",
    1024: "Additional Display Detected", 1025: "Window Resized", 1026: "Burst Input", 1040: "Face Mismatch",
    1041: "Face Covered", 1042: "Looking Away", 1043: "Camera Obscured", 1044: "Camera Frozen", 1045: "Laptop Detected",
    1046: "Speech Detected", 1047: "Virtual Camera Suspected", 1060: "Recording Gap", 1061: "Clock Changed",
    1062: "Media Rejected", 1063: "Candidate Online", 1068: "Analysis Completed", 1080: "Consent Given", 1081: "Consent Refused",
    1082: "Check Approved", 1083: "Check Returned", 1084: "Message To Candidate", 1085: "Message From Candidate",
    1086: "Hand Raised", 1087: "Session Paused", 1088: "Session Resumed", 1089: "Session Terminated",
    1090: "Extra Time Granted", 1091: "Flag Added", 1092: "Flag Dismissed", 1093: "Flag Confirmed",
    1094: "Session Released", 1095: "Appeal Filed", 1096: "Accommodations Set",
}  # fmt: skip


def test_ids_and_names_of_the_contract_are_kept_to_the_letter() -> None:
    assert len(PART_1) == 33
    for type_id, name in {**PART_1, **PART_2}.items():
        assert CATALOG.types[type_id].name == name
    assert {i for i in CATALOG.types if i < 1000} == set(PART_1), "our own types have ids from 1000 up"


def test_every_type_is_whole() -> None:
    for kind in CATALOG.types.values():
        assert kind.sources <= {"candidate", "server", "analysis", "person"}
        assert kind.sources
        assert kind.category in CATALOG.categories
        assert set(kind.severity) == {"low", "medium", "high"}
        assert set(kind.severity.values()) <= {"info", "low", "medium", "high"}
        assert kind.description.endswith(".")
        assert set(kind.ends) <= set(CATALOG.types)
        jsonschema_rs.meta.validate(kind.schema)
        assert kind.schema["additionalProperties"] is False


def test_severity_never_falls_as_the_stake_rises() -> None:
    order = ["info", "low", "medium", "high"]
    for kind in CATALOG.types.values():
        ranks = [order.index(kind.severity[stake]) for stake in ("low", "medium", "high")]
        assert ranks == sorted(ranks)


def test_no_word_of_the_catalog_accuses() -> None:
    for kind in CATALOG.types.values():
        words = f"{kind.name} {kind.description}".lower()
        assert not any(word in words for word in ("cheat", "fraud", "violation", "suspicious", "guilt"))
