"""Four paragraphs of a post, for pages that tests write themselves."""

POST = (
    "The river rose slowly through the night, and by the time the baker opened her shutters the street was a canal.",
    "Nobody in the village was surprised, because the old gauge on the bridge had been wrong since it was put up.",
    "We carried the flour sacks up to the chapel, one after another, and counted them twice, as the miller forgets.",
    "When the water finally went down it left a grey line on every wall, a little higher than the one of 1911.",
)


def p(*said: str) -> str:
    """Paragraphs as HTML."""
    return "".join(f"<p>{one}</p>" for one in said)
