"""How the page of a proof looks: A4, black on white, readable from a copying machine."""

FONTS = '"Noto Sans", "DejaVu Sans", "Noto Sans Arabic", "Noto Naskh Arabic", "Noto Sans Hebrew", "Noto Sans CJK SC", sans-serif'
CSS = f"""
@page {{ size: A4; margin: 11mm 15mm }}
body {{ font: 9pt/1.35 {FONTS}; color: #111; margin: 0 }}
h1 {{ font-size: 20pt; margin: 0 0 1mm }}
p {{ margin: 1mm 0 }}
h2 {{ font-size: 8pt; letter-spacing: 0.3mm; text-transform: uppercase; color: #444; margin: 3mm 0 1mm; border-bottom: 0.3mm solid #bbb }}
.top {{ display: flex; justify-content: space-between }}
.qr {{ width: 30mm; margin-left: 6mm; text-align: center; font: 7pt/1 monospace; color: #333 }}
.qr svg {{ width: 30mm; height: 30mm }}
.outcome {{ font-size: 13pt; font-weight: bold; margin: 1mm 0 2mm; padding: 2mm 3mm; border-left: 2mm solid #111; display: inline-block;
  max-width: 120mm; overflow-wrap: anywhere }}
.verdict {{ font-size: 11pt; font-weight: bold; margin: 1mm 0; padding: 1mm 3mm; border-left: 2mm solid #111 }}
.done {{ border-color: #1b7837; background: #edf7ee }}
.partial {{ border-color: #b35806; background: #fdf3e3 }}
.failed {{ border-color: #b2182b; background: #fbeaea }}
.warning {{ margin: 0 0 2mm; padding: 1mm 3mm; border: 0.4mm solid #b2182b; overflow-wrap: anywhere }}
.columns {{ display: flex; clear: none }}
.columns > div {{ width: 50%; margin-right: 5mm }}
.columns > div + div {{ margin-right: 0 }}
table {{ width: 100%; border-collapse: collapse; table-layout: auto }}
th {{ font-weight: normal; color: #555; width: 27mm }}
th, td {{ vertical-align: top; text-align: left; padding: 0.4mm 2mm 0.4mm 0; overflow-wrap: anywhere }}
.goods th {{ width: auto; border-bottom: 0.2mm solid #999 }}
.pictures img {{ max-height: PHOTO_MM; max-width: 85mm; margin: 0 1mm 1mm 0 }}
.pictures.n2 img {{ max-width: 41mm }}
.pictures.n3 img {{ max-width: 26mm }}
.signature svg {{ height: 26mm; max-width: 84mm; border-bottom: 0.2mm solid #999 }}
.finding {{ padding-left: 4mm; text-indent: -4mm; font-size: 8pt; overflow-wrap: anywhere }}
.how {{ font-size: 8pt; color: #333; margin: 1.5mm 0 }}
.small {{ font-size: 7pt; color: #444; overflow-wrap: anywhere }}
.none {{ color: #666 }}
code {{ font-size: 7.5pt }}
"""
