package main

import "golang.org/x/sys/windows"

// connRefused is what a connect gives where nobody listens.
const connRefused = windows.WSAECONNREFUSED
