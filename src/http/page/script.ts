/**
 * The one script of the page. It brings what the server has made anew to where it stands, and does nothing that the page cannot do
 * without it. What is held is never put in the place of something else: who is about to approve would approve what they have not seen.
 */
export const script = `"use strict";
(() => {
  const PACE_MS = 2000, LATER_MS = 10000, STILL_MS = 800, AGAIN_MS = 5000, PATIENCE_MS = 30000;
  const going = document.getElementById("going"), news = document.getElementById("news");
  // Elsewhere nothing would be made anew: why somebody is as they are, say, for which the engine may have to ask the directory.
  const isLive = document.querySelector("[data-live]") !== null;
  let isAsking = false, tried, stream, shown = document.body.dataset.stamp, wanted = shown, askedAt = -Infinity, movedAt = -Infinity, timer;

  const isInUse = (part) => part.contains(document.activeElement) || (getSelection()?.isCollapsed === false && getSelection().containsNode(part, true));
  const put = (part, fresh) => {
    const open = [...part.querySelectorAll("details")].map((each) => each.open);
    part.replaceChildren(...fresh.childNodes);
    part.querySelectorAll("details").forEach((each, index) => { if (index < open.length) each.open = open[index]; });
    movedAt = performance.now();
  };
  const refresh = async () => {
    askedAt = performance.now();
    isAsking = true;
    const asked = tried = wanted;
    try {
      const answer = await fetch(location.href, { headers: { "x-dirsyncd-live": "1" }, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (fresh.body.dataset.stamp === undefined) return location.reload();
      let isWhole = true;
      for (const part of document.querySelectorAll("[data-live]")) {
        const made = fresh.getElementById(part.id);
        if (made === null || made.innerHTML === part.innerHTML) continue;
        if (isInUse(part)) isWhole = false;
        else put(part, made);
      }
      const held = document.getElementById("held"), heldNow = fresh.getElementById("held");
      if (news !== null && held !== null && heldNow !== null && held.dataset.plans !== heldNow.dataset.plans) news.hidden = false;
      if (isWhole) shown = asked;
    } catch {
      // The stream says whether the daemon is there.
    } finally {
      isAsking = false;
    }
  };
  const tick = () => {
    if (!isLive || isAsking || wanted === shown) return;
    // What was asked for already: nothing came of it, or somebody is in the middle of a part.
    const pace = wanted === tried ? LATER_MS : PACE_MS;
    if (performance.now() - askedAt >= pace) void refresh();
  };
  const close = () => { stream?.close(); stream = undefined; clearInterval(timer); };
  const open = () => {
    if (stream !== undefined || document.hidden) return;
    timer = setInterval(tick, 500);
    stream = new EventSource("/events");
    stream.onmessage = ({ data }) => {
      const now = JSON.parse(data);
      if (going.innerHTML !== now.going) going.innerHTML = now.going;
      wanted = now.stamp;
      tick();
    };
    stream.onerror = () => {
      going.textContent = "dirsyncd does not answer: what stands here is of before.";
      if (stream.readyState !== EventSource.CLOSED) return;
      close();
      // It answered, and not with a stream: the session is over, or it is only just starting.
      setTimeout(async () => {
        try {
          const answer = await fetch("/events", { method: "HEAD", headers: { "x-dirsyncd-live": "1" } });
          if (answer.status === 401) return location.reload();
        } catch {}
        open();
      }, AGAIN_MS);
    };
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => {
    if (event.persisted) for (const form of document.forms) delete form.dataset.sent;
    open();
  });
  // What has only just moved under the pointer is not what was meant.
  document.addEventListener("click", (event) => {
    if (event.detail > 0 && performance.now() - movedAt < STILL_MS && event.target.closest("button")) event.preventDefault();
  }, true);
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (event.target.dataset.sent !== undefined) event.preventDefault();
    event.target.dataset.sent = "";
  });
})();
`;
