"use strict";
// Asks for this page again every few seconds, and puts its new parts in place of the old ones. What is typed into the
// form changes the address, and with it what is asked for. Without this script the form and the links do the same.
(() => {
  const form = document.querySelector("form");
  const pulse = document.getElementById("pulse");
  let mark = "", timer = 0, latest = 0;

  const put = (page) => {
    for (const fresh of page.querySelectorAll("[data-live]")) {
      const old = document.getElementById(fresh.id);
      const chosen = getSelection();
      // Somebody is copying something.
      if (!old || (!chosen.isCollapsed && chosen.containsNode(old, true))) continue;
      const focus = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      old.replaceWith(document.adoptNode(fresh));
      if (focus) [...fresh.querySelectorAll("a")].find((link) => link.getAttribute("href") === focus)?.focus();
    }
  };
  const look = async () => {
    clearTimeout(timer);
    const turn = ++latest;
    try {
      if (!document.hidden) {
        const headers = mark ? { "If-None-Match": mark } : {};
        const answer = await fetch(location.href, { headers, cache: "no-store", signal: AbortSignal.timeout(20000) });
        if (turn !== latest) return;
        if (answer.status === 200) {
          mark = answer.headers.get("ETag") || "";
          put(new DOMParser().parseFromString(await answer.text(), "text/html"));
        }
        pulse.textContent = answer.ok || answer.status === 304 ? "" : `The server answers ${answer.status}.`;
      }
    } catch {
      if (turn === latest) pulse.textContent = "The server does not answer. The figures are from before.";
    }
    if (turn === latest) timer = setTimeout(look, 3000);
  };
  const go = (address) => {
    history.replaceState(null, "", address);
    mark = "";
    look();
  };
  let typing = 0;
  const typed = () => {
    const said = new URLSearchParams(new FormData(form));
    for (const [key, value] of [...said]) if (!value) said.delete(key);
    const now = new URLSearchParams(location.search);
    for (const key of ["sort", "order"]) if (now.has(key)) said.set(key, now.get(key));
    go(`/fleet?${said}`);
  };
  form.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(typed, 250);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    typed();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-live] a[data-sort]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go(link.href);
  });
  document.addEventListener("visibilitychange", look);
  timer = setTimeout(look, 3000);
})();
