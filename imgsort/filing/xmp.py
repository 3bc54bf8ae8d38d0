"""What an XMP sidecar says of a picture: its class as a keyword, and who says so. Pure.

XMP: ISO 16684-1. Photo programs read ``dc:subject``; the rest is imgsort's own.
"""

from xml.sax.saxutils import escape, quoteattr

from imgsort import __version__
from imgsort.records.log import LogRow

SUFFIX = ".xmp"
_OURS = b'x:xmptk="imgsort '
_HEAD = 400
"""Bytes in which the mark of who wrote a sidecar is found."""


def is_ours(start: bytes) -> bool:
    """Whether imgsort wrote the sidecar that begins so: no other is ever touched."""
    return _OURS in start[:_HEAD]


def sidecar(row: LogRow) -> bytes:
    """The sidecar of a picture, as the log has it now."""
    said = "human" if row.human_label is not None else "model"
    facts = {
        "decision": row.decision,
        "label": row.final_label,
        "said_by": said if row.final_label else None,
        "model_label": row.label,
        "confidence": None if row.confidence is None else f"{row.confidence:.6f}",
        "model": None if row.model is None else str(row.model),
    }
    attributes = "".join(
        f"\n    imgsort:{name}={quoteattr(value)}" for name, value in facts.items() if value
    )
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="imgsort {__version__}">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:imgsort="urn:imgsort:xmp:1"{attributes}>{_keyword(row.final_label)}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
""".encode()


def _keyword(label: str | None) -> str:
    if label is None:
        return ""
    return f"""
   <dc:subject>
    <rdf:Bag>
     <rdf:li>{escape(label)}</rdf:li>
    </rdf:Bag>
   </dc:subject>"""
