// What a user of node-nut does, told one fact a line with tabs between the words. Arguments: port,
// user, password, new value of ups.id, port of the server whose UPS node-nut gets FSD.
'use strict';

const Nut = require('node-nut');

const [port, user, password, value, doomed] = process.argv.slice(2);
let nut;

const tell = (...words) => console.log(words.join('\t'));

// ask calls a method whose callback gets (result, error).
const ask = (name, method, ...args) => new Promise((done) => {
	nut[method](...args, (result, error) => {
		if (error) tell('error', name, error.trim());
		done(result || []);
	});
});

// order calls a method whose callback gets an error only. The client calls it twice when there is
// one: the first call counts.
const order = (name, method, ...args) => new Promise((done) => {
	nut[method](...args, (error) => {
		if (error) tell('error', name, error.trim());
		done(error ? 'refused' : 'OK');
	});
});

async function visit() {
	tell('did', 'user', await order('user', 'SetUsername', user));
	tell('did', 'password', await order('password', 'SetPassword', password));
	const upses = Object.assign({}, await ask('list', 'GetUPSList'));
	for (const ups of Object.keys(upses)) tell('ups', ups, upses[ups]);
	for (const ups of ['rack', 'desk']) {
		// The client gives out one list again and again: copied before the next call.
		const vars = Object.assign({}, await ask('variables of ' + ups, 'GetUPSVars', ups));
		const writable = Object.keys(Object.assign({}, await ask('writable of ' + ups, 'GetRWVars', ups)));
		for (const name of Object.keys(vars)) {
			tell('var', ups, name, vars[name]);
			tell('desc', ups, name, await ask('description', 'GetVarDescription', ups, name));
			tell('type', ups, name, await ask('type', 'GetVarType', ups, name));
		}
		for (const name of writable) tell('rw', ups, name, '');
		for (const name of [...await ask('commands of ' + ups, 'GetUPSCommands', ups)]) {
			tell('cmd', ups, name, '');
			tell('cmddesc', ups, name, await ask('description', 'GetCommandDescription', ups, name));
		}
	}
	tell('did', 'set', await order('set', 'SetRWVar', 'desk', 'ups.id', value));
	tell('did', 'command', await order('command', 'RunUPSCommand', 'desk', 'beeper.mute'));
	tell('did', 'master', await order('master', 'Master', 'desk'));
	await order('command that is none', 'RunUPSCommand', 'desk', 'no.such');
	nut.close();
}

async function force() {
	await order('user', 'SetUsername', user);
	await order('password', 'SetPassword', password);
	await order('master', 'Master', 'node-nut');
	tell('did', 'fsd', await order('fsd', 'FSD', 'node-nut'));
	nut.close();
}

// connect does a job on a server, and another one when that connection is closed.
function connect(to, job, next) {
	nut = new Nut(Number(to), '127.0.0.1');
	nut.on('ready', job);
	nut.on('close', next);
	nut.on('error', (error) => { tell('error', 'connection', error.message); process.exit(1); });
	nut.start();
}

connect(port, visit, () => connect(doomed, force, () => {}));
