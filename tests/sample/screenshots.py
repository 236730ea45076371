"""Pictures for the docs: the demonstration's archive in Chromium. Usage: screenshots.py HOME FOLDER."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conftest import Home
from sample.archives import serving


def main() -> None:
    home, folder = Home(Path(sys.argv[1]).resolve()), Path(sys.argv[2])
    with serving(home) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 750})

        def picture(name: str) -> None:
            page.screenshot(path=folder / f"{name}.png")

        page.goto(f"{base}/")
        picture("home")
        page.locator("section", has=page.get_by_role("heading", name="Recently edited")).get_by_role(
            "link"
        ).first.click()
        post = page.url
        picture("post")
        page.get_by_role("link", name="Changes in this version").click()
        picture("diff")
        page.goto(f"{base}/search?q=%22the+bell%22")
        picture("search")
        phone = browser.new_page(viewport={"width": 390, "height": 780}, color_scheme="dark", is_mobile=True)
        phone.goto(post)
        phone.screenshot(path=folder / "phone.png")
        browser.close()


if __name__ == "__main__":
    main()
