"""Letters and cover sheets as PDF that everybody can read (PDF/UA): wording, faces, and the drawing of tagged pages."""
