"""The enrolment desk: pages for employees who enrol, the same verbs as `gateway enrolment`."""
