// Package service is what the daemons share: how one instance is found by the next one and by -c
// ([Instance]), and which account serves when root starts it ([Confine]).
package service
