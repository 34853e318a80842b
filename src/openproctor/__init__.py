"""OpenProctor: a self-hosted platform for proctored online exams."""

__version__ = "0.1.0"
