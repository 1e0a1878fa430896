"""Dates beside an appointment that are not its day: reading one of them as such would move every session."""

from integrations.records.columns import key

LOOK_ALIKES: dict[str, str] = {
    key(header): why
    for why, headers in {
        "the day the row was added to the system": (
            "Date added",
            "Added",
            "Added on",
            "Created",
            "Created at",
            "Created on",
            "Date created",
        ),
        "the day the booking was made": ("Booked on", "Booked at", "Date booked", "Booking made"),
        "the day the row was last changed": (
            "Updated",
            "Updated at",
            "Last updated",
            "Modified",
            "Last modified",
            "Date modified",
        ),
        "the day the appointment was cancelled": (
            "Cancelled at",
            "Cancelled on",
            "Canceled at",
            "Cancellation date",
            "Date cancelled",
        ),
        "a date of billing": ("Invoice date", "Billing date", "Payment date", "Date paid", "Paid on", "Claim date"),
        "the day the client was born": ("DOB", "Date of birth", "Birth date", "Birthdate", "Birthday"),
        "the day the client came to the practice": ("Intake date", "Client since", "Referral date", "Registered on"),
    }.items()
    for header in headers
}
