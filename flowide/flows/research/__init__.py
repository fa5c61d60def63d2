"""Research in local sources: collected, read, compared, written up; code checks that what is cited is there."""
