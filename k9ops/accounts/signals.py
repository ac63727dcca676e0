"""What accounts tell the floors above; they know no listener."""

from blinker import Namespace

#: Something happened to a person's account of which they must hear. Sender: what, as a kind of
#: notification; `session` (inside the transaction: never commit it),
#: `user`, and `params` of the notification, if its words need any.
account_touched = Namespace().signal("account_touched")
