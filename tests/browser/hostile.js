// What a page of another origin tries with the address of ours; see test_review_outsiders.py.
async ([address, sha256, act]) => {
  const body = JSON.stringify({act, pictures: [{sha256, word: null}], say: "never"});
  const told = [];
  const ask = async (name, path, options) => {
    try {
      const answer = await fetch(address + path, {credentials: "include", ...options});
      told.push([name, answer.type, (await answer.text()).length]);
    } catch (problem) { told.push([name, "refused", 0]); }
  };
  await ask("read", "/api/now", {});
  await ask("no-cors", "/api/now", {mode: "no-cors"});
  await ask("simple", "/api/acts", {method: "POST", body, mode: "no-cors"});
  await ask("json", "/api/acts", {method: "POST", body, headers: {"Content-Type": "application/json"}});
  await ask("token", "/api/acts", {method: "POST", body, headers: {"X-Imgsort-Token": "guess"}});
  const image = new Image();
  const drawn = new Promise((done) => { image.onload = () => done("shown"); image.onerror = () => done("refused"); });
  image.src = `${address}/thumb/${sha256}?s=192`;
  told.push(["image", await drawn, 0]);
  const source = new EventSource(address + "/api/events", {withCredentials: true});
  told.push(["events", await new Promise((done) => { source.onmessage = () => done("heard"); source.onerror = () => done("refused"); }), 0]);
  source.close();
  const socket = new WebSocket(address.replace("http", "ws") + "/api/events");
  told.push(["socket", await new Promise((done) => { socket.onopen = () => done("open"); socket.onerror = () => done("refused"); }), 0]);
  const form = document.createElement("form");
  form.method = "post"; form.action = address + "/api/acts"; form.enctype = "text/plain"; form.target = "inner";
  const field = document.createElement("input"); field.name = body; form.append(field);
  const frame = document.createElement("iframe"); frame.name = "inner";
  document.body.append(frame, form); form.submit();
  const look = document.createElement("iframe"); look.src = address + "/"; document.body.append(look);
  const script = document.createElement("script"); script.src = address + "/api/now"; document.body.append(script);
  await new Promise((done) => setTimeout(done, 800));
  return told;
}
