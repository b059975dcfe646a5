// A portal's code against the generated types: what must compile, and what must not.
import createClient from "openapi-fetch";
import type { components, paths } from "./contract.js";

type Pledge = components["schemas"]["Pledge"];

const api = createClient<paths>({ baseUrl: "https://api.example.org" });

export async function pledgesOf(country: string): Promise<string[]> {
  const titles: string[] = [];
  let cursor: string | undefined;
  do {
    const { data, error } = await api.GET("/v1/pledges", {
      params: { query: { country: [country], sort: "-published_at", limit: 100, cursor } },
    });
    if (error) throw new Error(`${error.title}: ${error.detail}`);
    titles.push(...data.items.map((pledge) => `${pledge.reference} ${pledge.title}`));
    cursor = data.next ?? undefined;
  } while (cursor);
  return titles;
}

export async function draftAndSubmit(token: string): Promise<Pledge> {
  const headers = { Authorization: `Bearer ${token}` };
  const draft = await api.POST("/v1/pledges", {
    headers,
    params: { header: { "Idempotency-Key": crypto.randomUUID() } },
    body: { title: "Recognise qualifications of migrant nurses", objectives: [18], countries: ["KEN"] },
  });
  if (draft.error) throw new Error(draft.error.detail);
  const { data, error } = await api.POST("/v1/pledges/{pledge_id}/actions/{action}", {
    headers,
    params: { path: { pledge_id: draft.data.id, action: "submit" } },
    body: { comment: "Ready" },
  });
  if (error) {
    for (const fault of error.errors ?? []) console.error(fault.pointer, fault.detail);
    throw new Error(error.detail);
  }
  const next: readonly string[] = data.actions;
  return next.includes("recall") ? data : Promise.reject(new Error("not submitted"));
}

export async function retitle(token: string, id: string, etag: string, title: string): Promise<void> {
  await api.PATCH("/v1/pledges/{pledge_id}", {
    headers: { Authorization: `Bearer ${token}` },
    params: { path: { pledge_id: id }, header: { "If-Match": etag } },
    body: { title },
  });
  // @ts-expect-error: without If-Match this would be 428, so the types demand it
  await api.PATCH("/v1/pledges/{pledge_id}", { params: { path: { pledge_id: id } }, body: { title } });
  // @ts-expect-error: no such filter
  await api.GET("/v1/pledges", { params: { query: { colour: "blue" } } });
  // @ts-expect-error: no such path
  await api.GET("/v1/pledge");
}
