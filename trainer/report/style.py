"""How the page looks."""

STYLE = """\
body { font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; color: #1d2330;
  background: #f4f5f8; margin: 0 auto; max-width: 1080px; padding: 24px 20px 60px; }
header { border-radius: 10px; padding: 18px 24px; margin-bottom: 18px; color: #fff; }
header.good { background: #23714a; } header.stays { background: #4b5563; }
header.forced { background: #9a5b13; }
header h1 { margin: 0 0 6px; font-size: 26px; } header p { margin: 4px 0; }
header .when { opacity: .75; font-size: 13px; }
section { background: #fff; border-radius: 10px; padding: 14px 24px 20px; margin-bottom: 18px; }
h2 { font-size: 19px; margin: 8px 0 6px; } h3 { font-size: 15px; margin: 18px 0 6px; }
.cards { background: none; padding: 0; display: grid; gap: 14px;
  grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); }
.card { background: #fff; border-radius: 10px; padding: 14px 18px; }
.big { font-size: 32px; font-weight: 700; } small, .path { color: #667; font-size: 13px; }
.album { display: grid; gap: 14px; grid-template-columns: repeat(auto-fill, minmax(160px, 1fr)); }
figure { margin: 0; } figcaption { font-size: 13.5px; line-height: 1.35; margin-top: 4px;
  overflow-wrap: anywhere; }
figure img, .gone { display: block; height: 130px; width: 100%; object-fit: contain;
  background: #eceef2; border-radius: 6px; }
.gone { text-align: center; line-height: 130px; color: #889; }
figcaption b { color: #a93226; }
.path { display: block; }
.chart { max-width: 100%; } .wide { overflow: auto; } .wide .chart { max-width: none; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 12px; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 14.5px; }
th, td { text-align: left; padding: 4px 14px 4px 0; border-bottom: 1px solid #e7e9ee; }
td + td { font-variant-numeric: tabular-nums; }
"""
