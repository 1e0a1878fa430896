"""A second factor at sign-in, for an account that has one: the link alone opens nothing, a code works once, five wrong ones end it."""

from integrations.store import accounts
from models.accounts import ACCOUNT
from models.totp import STEP, code_at, new_secret
from tests.desk.conftest import forms


def with_factor(served):
    number = served.account("therapist", "T1")
    secret = new_secret()
    with served.clinic.practice.store.write() as connection:
        accounts.set_totp(connection, served.clinic.practice.vault, number, secret, "test", served.now)
    return number, secret


def opened(served, number):
    browser = served.browser()
    token = served.link("sign_in", f"{ACCOUNT}{number}")
    (enter,) = forms(browser.get(f"/in/{token}").text)
    return browser, token, enter


def test_a_link_and_a_code_together_sign_in(served):
    number, secret = with_factor(served)
    browser, token, enter = opened(served, number)
    assert "The code on your telephone" in browser.get(f"/in/{token}").text
    without = browser.post(enter.action, data=enter.fields)
    assert without.status_code == 403
    assert "set-cookie" not in without.headers
    done = browser.post(enter.action, data=enter.but(code=code_at(secret, served.now)))
    assert done.status_code == 303
    assert "tending-desk" in done.headers["set-cookie"]


def test_a_code_works_once_though_another_link_is_asked_for(served):
    number, secret = with_factor(served)
    browser, _, enter = opened(served, number)
    code = code_at(secret, served.now)
    assert browser.post(enter.action, data=enter.but(code=code)).status_code == 303
    browser, _, enter = opened(served, number)
    assert browser.post(enter.action, data=enter.but(code=code)).status_code == 403
    served.later(STEP)
    assert browser.post(enter.action, data=enter.but(code=code_at(secret, served.now))).status_code == 303


def test_five_wrong_codes_end_the_link(served):
    number, secret = with_factor(served)
    browser, token, enter = opened(served, number)
    for _ in range(5):
        assert browser.post(enter.action, data=enter.but(code="000000x")).status_code == 403
    assert browser.post(enter.action, data=enter.but(code=code_at(secret, served.now))).status_code == 410
    assert browser.get(f"/in/{token}").status_code == 410


def test_setting_it_signs_everybody_out_and_the_secret_is_sealed(served):
    sitting = served.seated("therapist", "T1")
    assert sitting.get("/today").status_code == 200
    (account,) = served.clinic.rows(accounts.Account)
    secret = new_secret()
    with served.clinic.practice.store.write() as connection:
        accounts.set_totp(connection, served.clinic.practice.vault, account.id, secret, "test", served.now)
    assert sitting.get("/today").status_code == 303
    with served.clinic.practice.store.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM account").all()
    assert secret not in str(rows)
