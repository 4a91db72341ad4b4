extension HTMLReport {
  /// The look of the page. Charts carry their own light colours; the dark theme restyles their
  /// paper, ink and lines.
  package static let style = """
    :root{--paper:#ffffff;--card:#f6f8fa;--ink:#1f2328;--soft:#59636e;--edge:#d1d9e0;--link:#0969da}
    *{box-sizing:border-box}
    body{margin:0 auto;max-width:72rem;padding:2rem 1.25rem 4rem;background:var(--paper);
    color:var(--ink);
    font:16px/1.55 system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}
    h1{font-size:1.9rem;line-height:1.2;margin:0}
    h2{font-size:1.3rem;margin:2.4rem 0 .8rem;padding-bottom:.3rem;
    border-bottom:1px solid var(--edge)}
    p{max-width:46rem;margin:.6rem 0}
    a{color:var(--link)}
    .lead,footer,figcaption,caption,.note{color:var(--soft)}
    .lead{font-size:1.1rem;margin:.4rem 0 1.4rem}
    .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.8rem;
    margin:1.4rem 0}
    .tile{background:var(--card);border:1px solid var(--edge);border-radius:8px;padding:.8rem 1rem;
    overflow-wrap:anywhere}
    .name{color:var(--soft);font-size:.85rem}
    .value{font-size:1.6rem;font-weight:600;line-height:1.3;font-variant-numeric:tabular-nums}
    .note{font-size:.85rem}
    nav{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;margin:1rem 0}
    figure{margin:1rem 0}
    figure>svg{max-width:100%;height:auto;border:1px solid var(--edge);border-radius:8px;
    background:#fff}
    figcaption,caption{font-size:.9rem;margin-top:.3rem;text-align:left}
    .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));
    gap:1rem;
    align-items:start}
    .figures figure{margin:0;min-width:0}
    .wide{overflow-x:auto;margin:1rem 0}
    table{border-collapse:collapse;font-size:.95rem}
    th,td{padding:.35rem .9rem .35rem 0;border-bottom:1px solid var(--edge);text-align:left;
    vertical-align:top}
    th{color:var(--soft);font-weight:600}
    .number{text-align:right;font-variant-numeric:tabular-nums;padding-left:.9rem}
    pre{background:var(--card);border:1px solid var(--edge);border-radius:8px;padding:.8rem 1rem;
    overflow-x:auto;
    font:13px/1.45 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
    footer{margin-top:3rem;font-size:.85rem}
    @media (prefers-color-scheme:dark){
    :root{--paper:#0d1117;--card:#151b23;--ink:#e6edf3;--soft:#9198a1;--edge:#30363d;--link:#4493f8}
    svg .paper{fill:#151b23}
    svg .ink{fill:#e6edf3}
    svg .soft{fill:#9aa4af}
    svg .line{stroke:#6e7681}
    svg .head{fill:#6e7681}
    svg .grid{stroke:#2a313a}
    figure>svg{background:#151b23}
    \(brighterColours)
    }
    @media print{body{max-width:none;padding:0}section{break-inside:avoid-page}}
    """

  /// Series colours that are too dark on dark paper, each with a lighter one of the same hue.
  private static let brighterColours =
    [(0, 0x3D9BE0), (6, 0xE0607E), (8, 0x8F86F0), (9, 0xA3ABB3)].map { index, brighter in
      let (from, to) = (Palette.colour(index).hex, RGB(UInt32(brighter)).hex)
      return "svg [stroke=\"\(from)\"]{stroke:\(to)} svg [fill=\"\(from)\"]{fill:\(to)}"
    }.joined(separator: "\n")
}
