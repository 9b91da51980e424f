// Package service is what the daemons share: how one instance is found by the next one and by -c
// ([Instance]), which account serves when root starts it ([Confine]), and how the programs that a
// site names are called ([Script]).
package service
