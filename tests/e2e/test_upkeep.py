"""What keeps a unit going, in a browser: backups, notifications, audit, users, settings."""

import csv
import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

from tests.support.people import AMAL, Person
from tests.support.walking import answer, look_at, save, sign_in, take, visit


def language_of(page: Page) -> str:
    return page.locator("html").get_attribute("lang")


def test_backup_is_made_and_verified(amals):
    amals.goto("/backups")
    files = amals.locator("#backups tbody tr")
    before = files.count()
    amals.locator('form[action="/backups/make"] button').click()
    expect(amals.locator("#run article .swatch.celery")).to_be_visible()
    expect(amals.locator("#run[data-live]")).to_have_count(0, timeout=30_000)
    amals.goto("/backups")
    expect(files).to_have_count(before + 1)
    expect(files.first.locator(".path .swatch.celery")).to_be_visible()
    expect(files.first.locator("[data-label] .pill.wait")).to_be_visible()
    files.first.locator('form[action$="/verify"] button').click()
    expect(amals.locator(".toast")).to_be_visible()
    expect(files.first.locator("[data-label] .pill.ok")).to_be_visible(timeout=30_000)
    expect(amals.locator("#backups[data-live]")).to_have_count(0)


def test_notifications_are_read_one_by_one_and_all_at_once(amals):
    for _ in range(3):
        amals.goto("/jobs")
        amals.locator('form[action="/jobs/test.permanent/run"] button').click()
        amals.locator(".toast a").click()
        expect(amals.locator("#run[data-live]")).to_have_count(0)
    amals.goto("/notifications")
    unread = amals.locator(".notices .unread")
    expect(unread).to_have_count(3)
    unread.first.locator('form[action$="/read"] button').click()
    expect(unread).to_have_count(2)
    unread.first.locator('form[action$="/open"] button').click()
    expect(amals.locator("#run .pill.bad.large")).to_be_visible()
    amals.goto("/notifications?show=unread")
    expect(unread).to_have_count(1)
    amals.locator('form[action="/notifications/read-all"] button').click()
    expect(amals.locator(".empty")).to_be_visible()
    assert parse_qs(urlsplit(amals.url).query) == {"show": ["unread"]}
    amals.goto("/notifications")
    expect(unread).to_have_count(0)


def test_settings_are_saved_and_the_trail_tells_it(amals, tmp_path):
    amals.goto("/settings")
    days = {"ar": "41", "en": "42"}[language_of(amals)]
    amals.fill("[name=backup_keep_last]", "0")
    amals.fill("[name=notification_retention_days]", days)
    save(amals)
    expect(amals.locator("#backup_keep_last-fault")).to_be_visible()
    expect(amals.locator("[name=backup_keep_last]")).to_have_value("0")
    expect(amals.locator("[name=notification_retention_days]")).to_have_value(days)
    amals.fill("[name=backup_keep_last]", days)
    save(amals)
    expect(amals.locator(".toast")).to_be_visible()
    expect(amals.locator("[name=backup_keep_last]")).to_have_value(days)
    amals.goto("/audit")
    amals.select_option("[name=action]", "setting.changed")
    amals.wait_for_url(re.compile("action=setting.changed"))
    entry = amals.locator(".trail > tbody > tr").first
    expect(entry).to_contain_text("Amal Haddad")
    entry.locator("summary").click()
    expect(entry.locator(".changes")).to_contain_text(days)
    rows = list(csv.reader(take(amals, "csv", tmp_path).read_text("utf-8-sig").splitlines()))
    assert len(rows) == 1 + amals.locator(".trail > tbody > tr").count()
    assert days in rows[1][-1]
    entry.locator(".under a").click()
    expect(amals.locator(".hint-line")).to_be_visible()


def test_person_is_let_in_and_shown_the_door(amals, browser, celery_server):
    language = language_of(amals)
    name = f"hana.{language}"
    amals.goto("/users/new")
    amals.fill("[name=username]", name)
    amals.fill("[name=full_name]", "هناء سعيد")
    amals.select_option("[name=role]", "handler")
    save(amals)
    password = amals.locator("#secrets").inner_text().strip()
    amals.locator(".once .button.primary").click()
    expect(amals.locator("h1")).to_have_text("هناء سعيد")
    hana = Person(name, "", "handler", password)
    with visit(browser, celery_server) as hers:
        sign_in(hers, hana, language)
        expect(hers.locator('.side a[href="/jobs"]')).to_have_count(0)
        amals.locator('.head a[href$="/edit"]').click()
        amals.select_option("[name=role]", "administrator")
        save(amals)
        expect(amals.locator(".toast")).to_be_visible()
        hers.reload()
        expect(hers.locator('.side a[href="/jobs"]')).to_have_count(1)
        amals.locator('a[href$="/sign-out-everywhere"]').click()
        answer(amals)
        expect(amals.locator('a[href$="/sign-out-everywhere"]')).to_have_count(0)
        hers.goto("/")
        expect(hers.locator("[name=password]")).to_be_visible()
    amals.locator('.head a[href$="/deactivate"]').click()
    answer(amals)
    expect(amals.locator("h1 + .pill.off")).to_be_visible()
    with visit(browser, celery_server) as hers:
        hers.goto("/sign-in")
        hers.fill("[name=username]", name)
        hers.fill("[name=password]", password)
        save(hers)
        expect(hers.get_by_role("alert")).to_be_visible()


def test_token_opens_the_door_to_programs_until_it_is_revoked(amals):
    name = f"program {language_of(amals)}"
    amals.goto("/account/tokens/new")
    amals.fill("[name=name]", name)
    amals.fill("[name=days]", "30")
    save(amals)
    bearer = {"Authorization": f"Bearer {amals.locator('#secrets').inner_text().strip()}"}
    amals.locator(".once .button.primary").click()
    start = "/api/v1/jobs/test.progress/run"
    assert amals.request.post(start, headers=bearer).status in (200, 201, 202)
    mine = amals.locator("#tokens li").filter(has_text=name)
    mine.locator("a.button").click()
    answer(amals)
    expect(mine).to_have_count(0)
    assert amals.request.post(start, headers=bearer).status == 401
    look_at(amals, "/account")


def test_other_sessions_are_ended(amals, browser, celery_server):
    with visit(browser, celery_server) as elsewhere:
        sign_in(elsewhere, AMAL, language_of(amals))
        amals.goto("/account")
        amals.locator('form[action="/account/sessions/end-others"] button').click()
        expect(amals.locator("#sessions li")).to_have_count(1)
        elsewhere.goto("/jobs")
        expect(elsewhere.locator("[name=password]")).to_be_visible()
