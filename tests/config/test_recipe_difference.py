"""What a person who approves a second version reads."""

import json
from typing import Any

from config.loading import shipped_recipe
from config.recipe import load_recipe
from config.recipe_difference import changes, consequences
from tests.config.small_furnace import small_furnace

GUIDE: dict[str, Any] = json.loads(shipped_recipe("lpcvd_sio2_100nm").read_text(encoding="utf-8"))


def altered(**words: Any) -> dict[str, Any]:
    return json.loads(json.dumps(GUIDE | words))


def test_numbers_are_told_with_their_unit_their_difference_and_their_share() -> None:
    after = altered(version=2)
    after["recipe_steps"][3]["duration_s"] = 1500
    after["gas_flows"]["gases"][0]["flow_sccm"] = 60
    assert [one.words for one in changes(GUIDE, after)] == [
        "gas_flows.gases[0].flow_sccm: 80 sccm → 60 sccm (-20 sccm, -25 %)",
        "recipe_steps[3].duration_s: 1200 s → 1500 s (+300 s, +25 %)",
    ]


def test_an_inserted_step_is_one_change_and_not_a_change_of_all_that_follow() -> None:
    after = altered()
    after["recipe_steps"].insert(1, {"name": "soak", "duration_s": 60})
    (change,) = changes(GUIDE, after)
    assert (change.kind, change.path, change.words) == (
        "added", "recipe_steps[1]", "recipe_steps[1] (soak): new",
    )  # fmt: skip
    (back,) = changes(after, GUIDE)
    assert (back.kind, back.words) == ("removed", "recipe_steps[1] (soak): no more")


def test_words_of_text_and_lists_are_told_too() -> None:
    after = altered(film_target="Si3N4", required_interlocks=["over_pressure"])
    assert [one.words for one in changes(GUIDE, after)] == [
        "film_target: 'SiO2' → 'Si3N4'",
        "required_interlocks: new, ['over_pressure']",
    ]
    assert changes(GUIDE, altered(required_interlocks=[])) == []


def test_what_the_changes_come_to_is_told_in_seconds_and_litres() -> None:
    after = altered()
    after["recipe_steps"][3]["duration_s"] = 2400
    before, later = (load_recipe(json.dumps(one)) for one in (GUIDE, after))
    told = {one.path: one.words for one in consequences(before, later, small_furnace())}
    assert "(+1.2e+03 s" in told["figures.duration_s"]
    assert told["figures.gas_use_l.SiH4"] == "SiH4 that will be used: 1.6 L → 3.2 L (+1.6 L, +100 %)"
    assert consequences(before, before, small_furnace()) == []
    elsewhere = load_recipe(shipped_recipe("mocvd_gan_2um"))
    (none,) = consequences(before, elsewhere, small_furnace())
    assert none.words == "the second cannot run on SmallFurnace: no figures"
